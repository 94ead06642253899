package import Planning
package import Schema
internal import Synchronization

/// Serves requests from a language model: puts the chat template around them, batches them over sessions, and turns
/// tokens into text.
///
/// Its copies are sessions that share the weights, each driven by a thread of its own.
package final class LanguageModelServer: CompletionModel {
    private struct State {
        var drivers: [SessionDriver] = []
        var nextJob: UInt64 = 0
        var isClosing = false
        var lastFailure: MartletError?
    }

    package let description: ModelDescription
    let owner: ModelOwner
    let prompter: Prompter
    /// The most tokens of a text to embed, and of one batch.
    let batchLimit: Int
    private let state: Mutex<State>
    private let abandonedCalls: AbandonedCalls
    private let closeDeadline: Duration
    private let callIdentifiers: @Sendable () -> String
    private let clock: any Clock<Duration>
    private let onFailure: @Sendable () -> Void

    /// Opens `copies` sessions; blocks while they allocate. The server owns the model from now on; it closes it when a
    /// session cannot be opened.
    ///
    /// - Parameters:
    ///   - copies: at least 1.
    ///   - chatTemplate: the name of a known template, in place of the one that the model carries.
    ///   - closeDeadline: how long closing waits for a thread before it leaves it behind.
    ///   - callIdentifiers: makes the ids of calls of functions.
    ///   - onFailure: called from any thread whenever a copy died or hung by itself.
    package init(
        model: any LanguageModel,
        copies: Int = 1,
        chatTemplate: ChatTemplate? = nil,
        closeDeadline: Duration = .seconds(5),
        clock: any Clock<Duration> = ContinuousClock(),
        abandonedCalls: AbandonedCalls = AbandonedCalls(),
        callIdentifiers: @escaping @Sendable () -> String = { ToolCall.randomIdentifier() },
        onFailure: @escaping @Sendable () -> Void = {}
    ) throws {
        self.description = model.description
        self.owner = ModelOwner(model)
        self.prompter = Prompter(description: model.description, chatTemplate: chatTemplate)
        self.state = Mutex(State())
        self.closeDeadline = closeDeadline
        self.clock = clock
        self.abandonedCalls = abandonedCalls
        self.callIdentifiers = callIdentifiers
        self.onFailure = onFailure
        let first: any LanguageSession
        do {
            first = try self.owner.makeSession()
        } catch {
            self.owner.close()
            throw error
        }
        self.batchLimit = first.batchLimit
        self.start(first)
        do {
            try self.setCopies(copies)
        } catch {
            self.stopAll()
            throw error
        }
    }

    deinit {
        self.stopAll()
    }

    // MARK: Requests

    package func complete(
        _ request: CompletionRequest
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        try await self.complete(request, priority: .normal)
    }

    /// Starts an answer on the least busy copy.
    package func complete(
        _ request: CompletionRequest,
        priority: RequestPriority
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        let (job, translation) = try self.job(for: request, priority: priority)
        let (stream, continuation) = SessionDriver.TextStream.makeStream()
        if let empty = job.emptyAnswer {
            continuation.yield(empty)
            continuation.finish()
            return stream
        }
        let driver = try self.submit(.generation(job), to: .text(continuation, translation))
        continuation.onTermination = { reason in
            if case .cancelled = reason { driver.cancel(job.id) }
        }
        return stream
    }

    package func answer(
        _ request: CompletionRequest,
        receive: @escaping @Sendable (CompletionEvent) -> Void
    ) async throws {
        try await self.answer(request, priority: .normal, receive: receive)
    }

    /// Answers on the least busy copy, whose thread calls `receive`.
    package func answer(
        _ request: CompletionRequest,
        priority: RequestPriority,
        receive: @escaping @Sendable (CompletionEvent) -> Void
    ) async throws {
        let (job, translation) = try self.job(for: request, priority: priority)
        if let empty = job.emptyAnswer {
            receive(empty)
            return
        }
        let cancellation = JobCancellation(job.id)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { done in
                do {
                    let recipient = SessionDriver.Recipient.callback(receive, translation, done: done)
                    cancellation.begin(with: try self.submit(.generation(job), to: recipient))
                } catch {
                    done.resume(throwing: error)
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        try Task.checkCancellation()
    }

    private func job(
        for request: CompletionRequest,
        priority: RequestPriority
    ) throws -> (GenerationJob, AnswerTranslation?) {
        let plan = try AnswerPlan(request, template: self.prompter.template, identifiers: self.callIdentifiers)
        var sampling = request.sampling
        sampling.grammar = plan.grammar ?? sampling.grammar
        let job = GenerationJob(
            id: self.makeJobID(),
            prompt: try self.owner.use { try self.prompter.tokens(of: plan.prompt, start: plan.start, by: $0) },
            sampling: sampling,
            maxTokens: request.maxTokens,
            stop: request.stop,
            adapters: request.adapters,
            topLogProbabilities: request.topLogProbabilities,
            priority: priority
        )
        return (job, plan.reader.map { AnswerTranslation($0) })
    }

    package func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        let limit = min(self.batchLimit, self.description.contextLength)
        let tokens = try self.owner.use { try self.prompter.tokens(ofTextsToEmbed: texts, limit: limit, by: $0) }
        let (stream, continuation) = SessionDriver.VectorStream.makeStream()
        var submitted: [(driver: SessionDriver, job: JobID)] = []
        // Whatever ends the call early, its other texts are not computed in vain.
        defer { for (driver, job) in submitted { driver.cancel(job) } }
        for (index, tokens) in tokens.enumerated() {
            let job = EmbeddingJob(id: self.makeJobID(), tokens: tokens)
            submitted.append((try self.submit(.embedding(job), to: .vector(continuation, index: index)), job.id))
        }
        var vectors = [[Float]](repeating: [], count: texts.count)
        var missing = texts.count
        if missing > 0 {
            for try await (index, vector) in stream {
                vectors[index] = vector
                missing -= 1
                if missing == 0 { break }
            }
        }
        try Task.checkCancellation()
        guard missing == 0 else { throw MartletError.aborted }
        submitted.removeAll()
        return (vectors, TokenUsage(promptTokens: tokens.reduce(0) { $0 + $1.count }))
    }

    package func countTokens(of texts: [String]) async throws -> Int? {
        try self.owner.use { model in
            try texts.reduce(0) { $0 + (try model.tokenize([TextSegment($1, parseSpecial: false)])).count }
        }
    }

    private func makeJobID() -> JobID {
        self.state.withLock { state in
            state.nextJob += 1
            return JobID(state.nextJob)
        }
    }

    /// Gives a job to the least busy copy. Choosing and giving are one step, so that two calls see each other.
    private func submit(_ job: SessionJob, to recipient: SessionDriver.Recipient) throws -> SessionDriver {
        try self.state.withLock { state in
            let running = state.drivers.filter(\.isRunning)
            guard let driver = running.min(by: { $0.load < $1.load }) else {
                throw state.lastFailure ?? MartletError.aborted
            }
            try driver.submit(job, to: recipient)
            return driver
        }
    }

    // MARK: Copies

    /// Copies that take requests.
    package var readyCopies: Int {
        self.state.withLock { $0.drivers }.count { $0.isRunning }
    }

    /// Why a copy failed, most recently.
    package var lastFailure: MartletError? { self.state.withLock { $0.lastFailure } }

    /// Bytes in use: the weights once, and every session that is open, left behind or not.
    package var memoryBytes: Int64 {
        let sessions = self.state.withLock { $0.drivers }.count { !$0.hasEnded.isOpen }
        return self.description.weightBytes + Int64(sessions) * self.description.sessionBytes
    }

    /// Opens or retires sessions until so many take requests; blocks while they allocate. What is under way on a copy
    /// that is retired finishes.
    package func setCopies(_ copies: Int) throws {
        let running = self.state.withLock { state in
            state.drivers.removeAll { $0.hasEnded.isOpen }
            return state.drivers.filter(\.isRunning)
        }
        for driver in running.dropFirst(copies) { driver.retire() }
        for _ in 0..<max(0, copies - running.count) { self.start(try self.owner.makeSession()) }
    }

    /// Leaves copies behind whose step has been going on for longer than the deadline.
    ///
    /// - Parameter now: on a time line that all calls share.
    package func checkForHangs(now: Duration, deadline: Duration) {
        for driver in self.state.withLock({ $0.drivers }) { driver.checkForHang(now: now, deadline: deadline) }
    }

    private func start(_ session: any LanguageSession) {
        let driver = SessionDriver(session: session, owner: self.owner, abandonedCalls: self.abandonedCalls) {
            [weak self] error in
            self?.copyFailed(error)
        }
        let isClosing = self.state.withLock { state in
            state.drivers.append(driver)
            return state.isClosing
        }
        if isClosing { driver.stop() }
    }

    private func copyFailed(_ error: MartletError) {
        self.state.withLock { $0.lastFailure = error }
        self.onFailure()
    }

    // MARK: Closing

    /// Gives everything back, memory included. Answers under way end with `Aborted`. A thread that does not come back
    /// before the deadline is left behind and counted; what it holds is given back should it ever return.
    package func close() async {
        let drivers = self.stopAll()
        await withTaskGroup(of: Void.self) { group in
            for driver in drivers {
                group.addTask {
                    let hasEnded = await driver.hasEnded.wait(atMost: self.closeDeadline, clock: self.clock)
                    if !hasEnded { driver.leaveBehind(.hung(deadline: self.closeDeadline)) }
                }
            }
        }
    }

    @discardableResult
    private func stopAll() -> [SessionDriver] {
        let drivers = self.state.withLock { state in
            state.isClosing = true
            return state.drivers
        }
        for driver in drivers { driver.stop() }
        self.owner.close()
        return drivers
    }
}

extension ToolCall {
    /// Nine letters and digits, as all families of models take them.
    package static func randomIdentifier() -> String {
        String((0..<9).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
    }
}
