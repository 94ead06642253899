internal import Foundation
internal import Glibc
internal import Synchronization

/// One child with its three standard streams in this process's hands. Used once.
///
/// It leads a process group of its own, so that whatever it starts ends with it.
package final class ChildProcess: Sendable {
    /// How a child ended.
    package enum Reason: Sendable {
        case status(Int32)
        case signal(Int32)
        /// It took too long, and was killed.
        case deadline
        /// It wrote more than ``ChildProcess/outputLimit``, and was killed.
        case excess
    }

    /// What is left of a child.
    package struct Exit: Sendable {
        package var reason: Reason
        package var output: [UInt8]
        /// The end of what the child wrote to its standard error.
        package var errors: String
    }

    /// The most that a child may write to its standard output, in bytes.
    package static let outputLimit = 1 << 24
    /// How much of the end of its standard error is kept, in bytes.
    private static let errorLimit = 1 << 14
    /// How long somebody whom the child left behind may go on writing, before the streams are closed.
    private static let drain = Duration.seconds(1)

    private let process: pid_t
    /// False once the process was waited for: its id may then belong to another one.
    private let isRunning = Mutex(true)
    private let input: Int32
    private let output: Int32
    private let errors: Int32

    /// Why a child could not be started.
    package struct NotStarted: Error, CustomStringConvertible {
        package var description: String
    }

    /// Starts a child. Throws ``NotStarted``.
    ///
    /// - Parameters:
    ///   - executable: The path of a program, or a name that is looked for in `PATH`.
    ///   - environment: The variables that the child sees, and no others; nil: those of this process.
    package init(executable: String, arguments: [String], environment: [String: String]? = nil) throws {
        let streams = try ChildProcess.socketPairs(3)
        defer { for stream in streams { Glibc.close(stream.theirs) } }
        let environment = environment ?? ChildProcess.ownEnvironment
        let outcome = ChildProcess.spawn([executable] + arguments, environment, streams: streams.map(\.theirs))
        switch outcome {
        case .success(let process):
            self.process = process
            (self.input, self.output, self.errors) = (streams[0].ours, streams[1].ours, streams[2].ours)
        case .failure(let error):
            for stream in streams { Glibc.close(stream.ours) }
            throw NotStarted(description: "'\(executable)' cannot be started: \(error)")
        }
    }

    /// Gives the child its input, collects what it writes, and waits for its end, which a deadline brings about.
    ///
    /// Blocks the thread for as long as the child lives.
    ///
    /// - Parameter closesInput: Whether the input ends with these bytes; else it stays open until the child has ended.
    package func run(input: [UInt8], closesInput: Bool, within deadline: Duration) -> Exit {
        defer { for stream in [self.input, self.output, self.errors] { Glibc.close(stream) } }
        let end = ContinuousClock.now + deadline
        var exchange = Exchange(self, input: input, closesInput: closesInput)
        var cut: Reason?
        while !self.hasEnded() {
            exchange.wait(until: end)
            if cut == nil, exchange.isExcessive || ContinuousClock.now >= end {
                cut = exchange.isExcessive ? .excess : .deadline
                self.kill()
            }
        }
        // Those whom it left behind end too. What it wrote is still to be read, and that of strangers only for a while.
        self.kill()
        let lastCall = ContinuousClock.now + ChildProcess.drain
        while exchange.takeWhatIsThere(), ContinuousClock.now < lastCall, !exchange.isExcessive {}
        let reason = self.reap()
        return Exit(
            reason: cut ?? (exchange.isExcessive ? .excess : reason),
            output: exchange.output,
            errors: String(decoding: exchange.errors, as: UTF8.self)
        )
    }

    /// Ends the child and its process group at once; does nothing when it was waited for.
    package func kill() {
        self.isRunning.withLock { isRunning in
            if isRunning { _ = Glibc.kill(-self.process, SIGKILL) }
        }
    }

    /// Whether the child has ended; its id stays its own until ``reap()``.
    private func hasEnded() -> Bool {
        var information = siginfo_t()
        let outcome = waitid(P_PID, id_t(self.process), &information, WEXITED | WNOWAIT | WNOHANG)
        return outcome < 0 ? errno != EINTR : information.si_signo == SIGCHLD
    }

    private func reap() -> Reason {
        self.isRunning.withLock { isRunning in
            isRunning = false
            var status: Int32 = 0
            while waitpid(self.process, &status, 0) < 0 && errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
        }
    }
}

// Talking with the child.
extension ChildProcess {
    /// What was said so far, and what is still to be said.
    private struct Exchange {
        private let input: Int32
        private let closesInput: Bool
        /// Nil once the input was closed.
        private var pending: ArraySlice<UInt8>?
        private var open: [Int32]
        private let outputStream: Int32
        private(set) var output: [UInt8] = []
        private(set) var errors: [UInt8] = []

        var isExcessive: Bool { self.output.count > ChildProcess.outputLimit }

        init(_ child: ChildProcess, input: [UInt8], closesInput: Bool) {
            (self.input, self.outputStream, self.open) = (child.input, child.output, [child.output, child.errors])
            (self.pending, self.closesInput) = (input[...], closesInput)
            self.write()
        }

        /// Waits until something can be read or written, or a moment has passed, and does that.
        mutating func wait(until end: ContinuousClock.Instant) {
            // A child whose streams have ended is about to end itself, which nothing wakes us for.
            let moment = Duration.milliseconds(self.open.isEmpty ? 1 : 100)
            let left = min(max(end - ContinuousClock.now, .zero), moment) / .milliseconds(1)
            _ = self.poll(Int32(left.rounded(.up)))
        }

        /// Reads and writes what can be without waiting; false when nothing can.
        mutating func takeWhatIsThere() -> Bool {
            !self.open.isEmpty && self.poll(0)
        }

        private mutating func poll(_ milliseconds: Int32) -> Bool {
            var waits = self.open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if self.pending?.isEmpty == false {
                waits.append(pollfd(fd: self.input, events: Int16(POLLOUT), revents: 0))
            }
            guard Glibc.poll(&waits, nfds_t(waits.count), milliseconds) > 0 else { return false }
            for wait in waits where wait.revents != 0 {
                if wait.fd == self.input { self.write() } else { self.read(wait.fd) }
            }
            return true
        }

        private mutating func write() {
            guard let pending = self.pending else { return }
            let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
            let count = pending.withUnsafeBytes { send(self.input, $0.baseAddress, $0.count, flags) }
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            // A child that reads no more has ended or will say why; its end is noticed elsewhere.
            let rest = count > 0 ? pending.dropFirst(count) : []
            self.pending = rest
            guard rest.isEmpty, self.closesInput else { return }
            shutdown(self.input, Int32(SHUT_WR))
            self.pending = nil
        }

        private mutating func read(_ stream: Int32) {
            var buffer = [UInt8](repeating: 0, count: 1 << 14)
            let count = Glibc.read(stream, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { return }
            if count <= 0 {
                self.open.removeAll { $0 == stream }
            } else if stream == self.outputStream {
                self.output += buffer.prefix(count)
            } else {
                self.errors = (self.errors + buffer.prefix(count)).suffix(ChildProcess.errorLimit)
            }
        }
    }
}

// Starting the child.
extension ChildProcess {
    private struct SpawnError: Error, CustomStringConvertible {
        var code: Int32
        var description: String { String(cString: strerror(self.code)) }
    }

    /// Connected pairs of which no end leaks into other children.
    private static func socketPairs(_ count: Int) throws -> [(ours: Int32, theirs: Int32)] {
        var pairs: [(ours: Int32, theirs: Int32)] = []
        for _ in 0..<count {
            var ends: [Int32] = [-1, -1]
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
                let reason = String(cString: strerror(errno))
                for end in pairs.flatMap({ [$0.ours, $0.theirs] }) { Glibc.close(end) }
                throw NotStarted(description: "no socket for a child: \(reason)")
            }
            pairs.append((ends[0], ends[1]))
        }
        return pairs
    }

    private static func spawn(
        _ words: [String],
        _ environment: [String: String],
        streams: [Int32]
    ) -> Result<pid_t, SpawnError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, stream) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, stream, Int32(target))
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let texts = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in texts + variables { free(text) } }
        var process: pid_t = 0
        let outcome = posix_spawnp(&process, words[0], &actions, &attributes, texts, variables)
        return outcome == 0 ? .success(process) : .failure(SpawnError(code: outcome))
    }

    /// This process's environment, with the crash reporters off that would make a crashing child slow.
    private static var ownEnvironment: [String: String] {
        let quiet = ["SWIFT_BACKTRACE": "enable=no", "GGML_NO_BACKTRACE": "1"]
        return ProcessInfo.processInfo.environment.merging(quiet) { _, new in new }
    }
}
