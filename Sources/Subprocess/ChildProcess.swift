internal import Foundation
internal import Glibc
internal import Synchronization

/// One child with its three standard streams in this process's hands. Used once.
final class ChildProcess: Sendable {
    enum Reason: Sendable {
        case status(Int32)
        case signal(Int32)
    }

    struct Exit: Sendable {
        var reason: Reason
        var output: [UInt8]
        /// The end of what the child wrote to its standard error.
        var errors: String
    }

    private let process: pid_t
    /// False once the process was waited for: its id may then belong to another one.
    private let isRunning = Mutex(true)
    private let input: Int32
    private let output: Int32
    private let errors: Int32

    /// Why a child could not be started.
    struct NotStarted: Error, CustomStringConvertible {
        var description: String
    }

    /// Starts a child. Throws ``NotStarted``.
    init(executable: String, arguments: [String]) throws {
        let streams = try (0..<3).map { _ in try ChildProcess.socketPair() }
        defer { for stream in streams { Glibc.close(stream.theirs) } }
        let outcome = ChildProcess.spawn(executable, arguments, streams: streams.map(\.theirs))
        switch outcome {
        case .success(let process):
            self.process = process
            (self.input, self.output, self.errors) = (streams[0].ours, streams[1].ours, streams[2].ours)
        case .failure(let error):
            for stream in streams { Glibc.close(stream.ours) }
            throw NotStarted(description: "'\(executable)' cannot be started: \(error)")
        }
    }

    /// Gives the child its input, collects what it writes, and waits for its end. The input stays open until then.
    func run(input: [UInt8]) async -> Exit {
        await withCheckedContinuation { continuation in
            // A thread of its own, since reading and waiting block for as long as the child lives.
            Thread.detachNewThread {
                continuation.resume(returning: self.attend(input: input))
            }
        }
    }

    /// Ends the child at once; does nothing when it has ended.
    func kill() {
        self.isRunning.withLock { isRunning in
            if isRunning { _ = Glibc.kill(self.process, SIGKILL) }
        }
    }

    private func attend(input: [UInt8]) -> Exit {
        defer { for stream in [self.input, self.output, self.errors] { Glibc.close(stream) } }
        var pending = input[...]
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var open: Set<Int32> = [self.output, self.errors]
        while !open.isEmpty {
            var waits = open.sorted().map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if !pending.isEmpty { waits.append(pollfd(fd: self.input, events: Int16(POLLOUT), revents: 0)) }
            if poll(&waits, nfds_t(waits.count), -1) < 0 { continue }
            for wait in waits where wait.revents != 0 {
                if wait.fd == self.input {
                    self.write(&pending)
                } else if wait.fd == self.output {
                    if !ChildProcess.read(wait.fd, into: &output, keeping: 1 << 24) { open.remove(wait.fd) }
                } else if !ChildProcess.read(wait.fd, into: &errors, keeping: 1 << 14) {
                    open.remove(wait.fd)
                }
            }
        }
        return Exit(reason: self.reap(), output: output, errors: String(decoding: errors, as: UTF8.self))
    }

    private func write(_ pending: inout ArraySlice<UInt8>) {
        let count = pending.withUnsafeBytes { send(self.input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // A child that reads no more has ended or will say why; its end is noticed elsewhere.
        pending = count > 0 ? pending.dropFirst(count) : []
    }

    /// Appends what a stream has, keeping the end of it; false when the stream has ended.
    private static func read(_ stream: Int32, into bytes: inout [UInt8], keeping limit: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let count = Glibc.read(stream, &buffer, buffer.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        bytes.append(contentsOf: buffer.prefix(count))
        if bytes.count > limit { bytes.removeFirst(bytes.count - limit) }
        return count > 0
    }

    private func reap() -> Reason {
        var information = siginfo_t()
        // First only looked at, so that the id is still this child's while the flag falls.
        while waitid(P_PID, id_t(self.process), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        return self.isRunning.withLock { isRunning in
            isRunning = false
            var status: Int32 = 0
            while waitpid(self.process, &status, 0) < 0 && errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
        }
    }
}

// Starting the child.
extension ChildProcess {
    private struct SpawnError: Error, CustomStringConvertible {
        var code: Int32
        var description: String { String(cString: strerror(self.code)) }
    }

    /// A connected pair of which neither end leaks into other children.
    private static func socketPair() throws -> (ours: Int32, theirs: Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw NotStarted(description: "no socket for a child: \(String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ executable: String,
        _ arguments: [String],
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
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let environment = ChildProcess.environment.map { strdup($0) } + [nil]
        defer { for text in words + environment { free(text) } }
        var process: pid_t = 0
        let outcome = posix_spawn(&process, executable, &actions, &attributes, words, environment)
        return outcome == 0 ? .success(process) : .failure(SpawnError(code: outcome))
    }

    /// This process's environment, with the crash reporters off that would make a crashing child slow.
    private static var environment: [String] {
        let quiet = ["SWIFT_BACKTRACE": "enable=no", "GGML_NO_BACKTRACE": "1"]
        let all = ProcessInfo.processInfo.environment.merging(quiet) { _, new in new }
        return all.map { "\($0.key)=\($0.value)" }
    }
}
