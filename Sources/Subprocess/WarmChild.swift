internal import CSandbox
internal import Foundation
internal import Glibc
internal import Synchronization

/// A child that is kept and asked again and again: a line in, a line out, one at a time.
///
/// A thread of its own starts it, talks to it and takes leave of it: the kernel ends the child with that thread.
package final class WarmChild: Sendable {
    /// Why there was no answer.
    package enum Failure: Error, Sendable {
        case notStarted(Sandbox.NotStarted)
        /// It ended, with its status or signal in words, and the end of what it wrote to its standard error.
        case ended(String, errors: String)
        /// It wrote a longer line than it may, or one that nobody had asked for; it was killed.
        case excess(String, errors: String)
        /// Somebody killed it.
        case killed
    }

    private struct Question {
        var line: [UInt8]
        var answer: CheckedContinuation<[UInt8], any Error>
    }

    private struct State {
        var question: Question?
        var process: pid_t?
        var isKilled = false
        var hasEnded = false
    }

    /// How much of the end of its standard error is kept, in bytes.
    private static let errorLimit = 1 << 13

    private let state = Mutex(State())
    /// Written to when there is something to do.
    private let wake: (ours: Int32, theirs: Int32)
    private let lineLimit: Int
    private let complain: @Sendable (String) -> Void

    /// Begins to start a child; whether that works is found out by the first question.
    ///
    /// - Parameters:
    ///   - folder: What it sees as `/program`, and starts in.
    ///   - lineLimit: The most bytes of an answer.
    ///   - complain: Is given each line that the child writes to its standard error, on the child's own thread.
    package init(
        _ words: [String],
        in folder: String,
        sandbox: Sandbox,
        lineLimit: Int,
        complain: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        socketpair(AF_UNIX, kind, 0, &ends)
        self.wake = (ends[1], ends[0])
        self.lineLimit = lineLimit
        self.complain = complain
        Thread.detachNewThread { self.live(words, folder, sandbox) }
    }

    /// Whether it may still answer a question.
    package var isAlive: Bool { self.state.withLock { !$0.hasEnded && !$0.isKilled } }

    /// Has the child answer one line, without line breaks. Nobody else may be asking. Cancelling kills the child.
    ///
    /// Throws ``Failure``, and `CancellationError`.
    package func ask(_ line: [UInt8]) async throws -> [UInt8] {
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let isTaken = self.state.withLock { state in
                        guard !state.hasEnded, !state.isKilled else { return false }
                        state.question = Question(line: line + [UInt8(ascii: "\n")], answer: continuation)
                        return true
                    }
                    if isTaken { self.rouse() } else { continuation.resume(throwing: Failure.killed) }
                }
            } onCancel: {
                self.kill()
            }
        } catch Failure.killed where Task.isCancelled {
            throw CancellationError()
        }
    }

    /// Ends the child and everything that it started; whoever waits for an answer gets ``Failure/killed``.
    package func kill() {
        self.state.withLock { state in
            state.isKilled = true
            if let process = state.process { WarmChild.kill(process) }
        }
        self.rouse()
    }

    private func rouse() {
        self.state.withLock { state in
            guard !state.hasEnded else { return }
            var byte: UInt8 = 1
            send(self.wake.ours, &byte, 1, Int32(MSG_NOSIGNAL))
        }
    }

    private static func kill(_ process: pid_t) {
        // Outside of a sandbox its descendants are found by the group that they are in.
        _ = Glibc.kill(-process, SIGKILL)
        _ = Glibc.kill(process, SIGKILL)
    }
}

// The thread's side.
extension WarmChild {
    /// What a question came to.
    private struct End: Error {
        var failure: Failure
    }

    private func live(_ words: [String], _ folder: String, _ sandbox: Sandbox) {
        var failure = Failure.killed
        do {
            let streams = try ChildStreams()
            defer { streams.close() }
            let process: pid_t
            do {
                defer { streams.closeTheirs() }
                process = try sandbox.start(words, in: folder, streams: streams.theirs)
            }
            let isWanted = self.state.withLock { state in
                state.process = process
                return !state.isKilled
            }
            if isWanted { failure = self.talk(to: process, streams) }
            failure = self.takeLeave(of: process, failure)
        } catch let error {
            failure = .notStarted(error)
        }
        let question = self.state.withLock { state in
            state.hasEnded = true
            close(self.wake.ours)
            close(self.wake.theirs)
            return state.question.take()
        }
        question?.answer.resume(throwing: failure)
    }

    /// Passes lines to and fro until the child ends, does what it may not, or is killed.
    private func talk(to process: pid_t, _ streams: ChildStreams) -> Failure {
        var talk = Talk()
        while true {
            if self.state.withLock({ $0.isKilled }) { return .killed }
            if talk.pending.isEmpty, !talk.isWaiting, let line = self.state.withLock({ $0.question?.line }) {
                (talk.pending, talk.isWaiting) = (line[...], true)
            }
            var waits = [
                pollfd(fd: self.wake.theirs, events: Int16(POLLIN), revents: 0),
                pollfd(fd: streams.output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: talk.errorsHaveEnded ? -1 : streams.errors, events: Int16(POLLIN), revents: 0),
                pollfd(fd: talk.pending.isEmpty ? -1 : streams.input, events: Int16(POLLOUT), revents: 0),
            ]
            guard poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else { return .killed }
            if waits[0].revents != 0 { WarmChild.drain(self.wake.theirs) }
            if waits[3].revents != 0 { talk.send(streams.input) }
            if waits[2].revents != 0 {
                for line in talk.readErrors(streams.errors, keeping: Self.errorLimit) { self.complain(line) }
            }
            if waits[1].revents != 0, !talk.read(streams.output) {
                // What it says of its end may still be on its way.
                _ = talk.readErrors(streams.errors, keeping: Self.errorLimit)
                return .ended("", errors: talk.errorText)
            }
            if let problem = self.settle(&talk) { return .excess(problem, errors: talk.errorText) }
        }
    }

    /// Gives a whole line to whoever asked; what is wrong with what was read, if anything is.
    private func settle(_ talk: inout Talk) -> String? {
        while let line = talk.takeLine(atMost: self.lineLimit) {
            guard talk.isWaiting else { return "wrote a line that nobody had asked for" }
            talk.isWaiting = false
            talk.pending = []
            self.state.withLock { $0.question.take() }?.answer.resume(returning: line)
        }
        return talk.output.count > self.lineLimit ? "wrote a line of more than \(self.lineLimit) bytes" : nil
    }

    /// Kills what is left of the child and waits for it; the failure with its end in words.
    private func takeLeave(of process: pid_t, _ failure: Failure) -> Failure {
        var status: Int32 = 0
        if case .ended = failure, WarmChild.waits(for: process) {
            // It has ended, or is about to, by itself: its status says why.
        }
        self.state.withLock { state in
            WarmChild.kill(process)
            state.process = nil
            while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        }
        guard case .ended(_, let errors) = failure else { return failure }
        let signal = status & 0x7F
        let words = signal == 0 ? "ended with status \((status >> 8) & 0xFF)" : "was ended by \(Signal.name(signal))"
        return .ended(words, errors: errors)
    }

    /// Gives a child that has closed its output a moment to end by itself, so that its own status is seen.
    private static func waits(for process: pid_t) -> Bool {
        let end = ContinuousClock.now + .milliseconds(200)
        while ContinuousClock.now < end {
            var information = siginfo_t()
            let outcome = waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT | WNOHANG)
            if outcome < 0 && errno != EINTR || information.si_signo == SIGCHLD { return true }
            _ = poll(nil, 0, 1)
        }
        return false
    }

    private static func drain(_ stream: Int32) {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(stream, &bytes, bytes.count) > 0 {}
    }
}

/// What was said between a child and this process, and what is still to be said.
private struct Talk {
    var pending: ArraySlice<UInt8> = []
    /// Whether a question has been taken up that has no answer yet.
    var isWaiting = false
    private(set) var output: [UInt8] = []
    private(set) var errorsHaveEnded = false
    private var errors: [UInt8] = []
    private var errorLine: [UInt8] = []
    /// How far ``output`` was searched for a line's end.
    private var searched = 0

    var errorText: String { String(decoding: self.errors, as: UTF8.self) }

    mutating func send(_ stream: Int32) {
        let count = self.pending.withUnsafeBytes {
            Glibc.send(stream, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        if count > 0 { self.pending = self.pending.dropFirst(count) }
        // A child that reads no more is about to end; its output's end says so.
        if count < 0, errno != EAGAIN, errno != EINTR { self.pending = [] }
    }

    /// Reads what is there; false at the end.
    mutating func read(_ stream: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(stream, &buffer, buffer.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        self.output += buffer.prefix(count)
        return count > 0
    }

    /// The next whole line, if it is not too long.
    mutating func takeLine(atMost limit: Int) -> [UInt8]? {
        guard let end = self.output[self.searched...].firstIndex(of: UInt8(ascii: "\n")), end <= limit else {
            self.searched = min(self.output.count, limit)
            return nil
        }
        let line = Array(self.output[..<end])
        self.output.removeFirst(end + 1)
        self.searched = 0
        return line
    }

    /// Keeps the end of what the child complains about; the lines that are whole now.
    mutating func readErrors(_ stream: Int32, keeping limit: Int) -> [String] {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let count = Glibc.read(stream, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        guard count > 0 else {
            self.errorsHaveEnded = true
            return []
        }
        self.errors = (self.errors + buffer.prefix(count)).suffix(limit)
        self.errorLine += buffer.prefix(count)
        var lines = self.errorLine.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        self.errorLine = Array((lines.popLast() ?? []).suffix(limit))
        return lines.map { String(decoding: $0.prefix(limit), as: UTF8.self) }
    }
}

/// The two ends of a child's three standard streams: a socket that is written to without a signal, and two pipes.
private struct ChildStreams {
    let input: Int32
    let output: Int32
    let errors: Int32
    let theirs: (Int32, Int32, Int32)

    init() throws(Sandbox.NotStarted) {
        var (sockets, out, err): ([Int32], [Int32], [Int32]) = ([-1, -1], [-1, -1], [-1, -1])
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &sockets) == 0, sandbox_pipe(&out) == 0, sandbox_pipe(&err) == 0 else {
            let reason = String(cString: strerror(errno))
            for stream in sockets + out + err where stream >= 0 { Glibc.close(stream) }
            throw Sandbox.NotStarted(description: "no streams for a child: \(reason)", isForbidden: false)
        }
        (self.input, self.output, self.errors) = (sockets[0], out[0], err[0])
        self.theirs = (sockets[1], out[1], err[1])
        for stream in [self.output, self.errors] { _ = fcntl(stream, F_SETFL, O_NONBLOCK) }
    }

    func closeTheirs() {
        for stream in [self.theirs.0, self.theirs.1, self.theirs.2] { Glibc.close(stream) }
    }

    func close() {
        for stream in [self.input, self.output, self.errors] { Glibc.close(stream) }
    }
}
