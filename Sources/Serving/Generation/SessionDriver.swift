internal import Foundation
internal import Planning
internal import Schema
internal import Synchronization

/// One session with a thread of its own: takes jobs from any task, and gives pieces of answers to their streams.
///
/// The streams are not bounded: what a slow reader leaves unread is at most one answer, and an answer is no longer than
/// the context.
final class SessionDriver: Sendable {
    typealias TextStream = AsyncThrowingStream<CompletionEvent, any Error>
    typealias VectorStream = AsyncThrowingStream<(index: Int, vector: [Float]), any Error>

    /// Where a job's results go.
    enum Recipient: Sendable {
        case text(TextStream.Continuation, AnswerTranslation?)
        /// Called on the session's own thread: no task has to wake up for each piece.
        case callback(
            @Sendable (CompletionEvent) -> Void,
            AnswerTranslation?,
            done: CheckedContinuation<Void, any Error>
        )
        /// One text of several that share a stream, by its place among them.
        case vector(VectorStream.Continuation, index: Int)

        /// Gives a piece of a text away; vectors come whole.
        func receive(_ event: CompletionEvent) {
            switch self {
            case .text(let continuation, nil): continuation.yield(event)
            case .text(let continuation, let translation?):
                for event in translation.translate(event) { continuation.yield(event) }
            case .callback(let receive, nil, _): receive(event)
            case .callback(let receive, let translation?, _):
                for event in translation.translate(event) { receive(event) }
            case .vector: break
            }
        }

        func finish(throwing error: (any Error)?) {
            switch self {
            case .text(let continuation, let translation):
                continuation.finish(throwing: error ?? translation?.failure)
            case .callback(_, let translation, let done):
                done.resume(with: (error ?? translation?.failure).map { .failure($0) } ?? .success(()))
            case .vector(let continuation, _): if let error { continuation.finish(throwing: error) }
            }
        }
    }

    enum Letter: Sendable {
        case submit(SessionJob, Recipient)
        case cancel(JobID)
        /// Ends the thread when no job is left.
        case retire
        /// Ends the thread now.
        case stop
    }

    enum Status: Sendable {
        case running
        /// Takes no new jobs and ends with the last one.
        case retiring
        case stopping
        /// Died, failed again and again, or hung.
        case failed(MartletError)
    }

    private struct State {
        var status = Status.running
        var recipients: [JobID: Recipient] = [:]
        var hangDetector = HangDetector()
        var isLeftBehind = false
    }

    let session: any LanguageSession
    let mailbox = SessionMailbox<Letter>()
    let hasEnded = Latch()
    /// Odd while a step is going on.
    let pulse = Atomic<UInt64>(0)
    private let state = Mutex(State())
    private let abandonedCalls: AbandonedCalls
    private let onFailure: @Sendable (MartletError) -> Void

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - owner: of the session's model.
    ///   - onFailure: called once, from any thread, when the session fails by itself.
    init(
        session: any LanguageSession,
        owner: ModelOwner,
        abandonedCalls: AbandonedCalls,
        onFailure: @escaping @Sendable (MartletError) -> Void
    ) {
        self.session = session
        self.abandonedCalls = abandonedCalls
        self.onFailure = onFailure
        let thread = Thread {
            var loop = SessionLoop(driver: self, model: owner.model)
            loop.run()
            owner.sessionClosed()
            self.threadEnded()
        }
        thread.name = "martlet-session"
        thread.start()
    }

    /// Jobs that are waiting or under way.
    var load: Int { self.state.withLock { $0.recipients.count } }

    /// Whether it takes new jobs.
    var isRunning: Bool {
        guard case .running = self.state.withLock({ $0.status }) else { return false }
        return true
    }

    /// Whether it was told to end.
    var isStopping: Bool {
        guard case .stopping = self.state.withLock({ $0.status }) else { return false }
        return true
    }

    /// Why it failed by itself, if it did.
    var failure: MartletError? {
        guard case .failed(let error) = self.state.withLock({ $0.status }) else { return nil }
        return error
    }

    /// Takes a job. Throws when the session ended in the meantime.
    func submit(_ job: SessionJob, to recipient: Recipient) throws {
        try self.state.withLock { state in
            switch state.status {
            case .running: state.recipients[job.id] = recipient
            case .retiring, .stopping: throw MartletError.aborted
            case .failed(let error): throw error
            }
            // Under the lock, so that no job comes after the letter that ends the thread.
            self.mailbox.post(.submit(job, recipient))
        }
    }

    func cancel(_ id: JobID) {
        self.mailbox.post(.cancel(id))
    }

    /// Ends a job at once for who waits for it, and has the thread give it up when it comes around.
    func abandon(_ id: JobID) {
        self.finish(id)
        self.cancel(id)
    }

    /// Ends a job's stream. Nothing happens when that was done before.
    func finish(_ id: JobID, throwing error: (any Error)? = nil) {
        let recipient = self.state.withLock { $0.recipients.removeValue(forKey: id) }
        recipient?.finish(throwing: error)
    }

    // MARK: The end

    /// Lets what is under way finish, and takes nothing new.
    func retire() {
        self.state.withLock { state in
            if case .running = state.status { state.status = .retiring }
            self.mailbox.post(.retire)
        }
    }

    /// Ends the session; answers under way end with `Aborted`. ``hasEnded`` opens when everything was given back.
    func stop() {
        self.state.withLock { state in
            switch state.status {
            case .running, .retiring: state.status = .stopping
            case .stopping, .failed: break
            }
        }
        self.session.abort()
        self.mailbox.post(.stop)
    }

    /// Ends the session because of a fault: answers under way end with it.
    func fail(_ error: MartletError) {
        let (recipients, isNews) = self.state.withLock { state in
            var isNews = false
            switch state.status {
            case .running, .retiring:
                state.status = .failed(error)
                isNews = true
            case .stopping, .failed:
                break
            }
            defer { state.recipients.removeAll() }
            return (Array(state.recipients.values), isNews)
        }
        for recipient in recipients { recipient.finish(throwing: error) }
        if isNews { self.onFailure(error) }
    }

    /// Leaves the thread behind: it did not come back in time. Should it ever return, it still gives everything back.
    func leaveBehind(_ error: MartletError) {
        let isFirst = self.state.withLock { state in
            defer { state.isLeftBehind = true }
            return !state.isLeftBehind
        }
        guard isFirst else { return }
        self.abandonedCalls.leaveBehind()
        self.fail(error)
        self.session.abort()
        self.mailbox.post(.stop)
    }

    /// Leaves the thread behind when its step has been going on for longer than the deadline.
    ///
    /// - Parameter now: on a time line that all calls share.
    func checkForHang(now: Duration, deadline: Duration) {
        let pulse = self.pulse.load(ordering: .relaxed)
        let isHung = self.state.withLock {
            !$0.isLeftBehind && $0.hangDetector.isHung(pulse: pulse, now: now, deadline: deadline)
        }
        if isHung { self.leaveBehind(.hung(deadline: deadline)) }
    }

    private func threadEnded() {
        let (rest, wasLeftBehind) = self.state.withLock { state in
            if case .running = state.status { state.status = .stopping }
            defer { state.recipients.removeAll() }
            return (Array(state.recipients.values), state.isLeftBehind)
        }
        for recipient in rest { recipient.finish(throwing: MartletError.aborted) }
        if wasLeftBehind { self.abandonedCalls.returnLate() }
        self.hasEnded.open()
    }
}

extension MartletError {
    /// The model was closed under the request.
    static var aborted: MartletError {
        MartletError("Aborted", "the model was closed before the answer was complete", disposition: .retryable)
    }

    /// The engine did not come back in time.
    static func hung(deadline: Duration) -> MartletError {
        MartletError(
            "EngineHung",
            "the engine's call did not return within \(deadline); it was left behind, and the instance is replaced",
            disposition: .retryable
        )
    }
}
