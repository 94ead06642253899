internal import Foundation
internal import Glibc
internal import Synchronization
internal import TestSupport

/// A child process that a test starts, signals and waits for; it is killed when the last reference goes.
///
/// What it writes goes to files, not pipes: another child that starts meanwhile would inherit a pipe and keep it open.
final class Program: Sendable {
    /// How a process ended.
    enum End: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signalled(let number): "signal \(number)"
            }
        }
    }

    private struct State {
        var end: End?
        var waiters: [CheckedContinuation<End, Never>] = []
    }

    /// Its process id; another process may have it once this one has ended.
    let id: pid_t
    private let state = Mutex(State())

    /// - Parameters:
    ///   - words: the program, found on `PATH` unless it has a slash, and its arguments.
    ///   - environment: everything that it sees of ours.
    ///   - folder: where it works; nil: where the test does.
    ///   - output: the file for standard output; it is added to.
    ///   - complaint: the file for standard error; it is added to.
    init(
        _ words: [String],
        environment: [String: String],
        folder: String? = nil,
        output: String,
        complaint: String
    ) throws {
        // `env` becomes the program, so that the id is the program's.
        self.id = try Tool.spawn(
            (folder.map { ["env", "--chdir", $0] } ?? []) + words,
            environment: environment.map { "\($0.key)=\($0.value)" },
            output: output,
            complaint: complaint,
            isAdding: true
        )
        self.awaitEnd(of: self.id)
    }

    deinit {
        self.state.withLock { state in
            if state.end == nil { kill(self.id, SIGKILL) }
        }
    }

    /// How it ended; nil while it runs.
    var end: End? {
        self.state.withLock { $0.end }
    }

    /// Sends it a signal, unless it has ended.
    func signal(_ number: Int32) {
        self.state.withLock { state in
            if state.end == nil { kill(self.id, number) }
        }
    }

    /// Waits for its end.
    @discardableResult
    func finished() async -> End {
        await withCheckedContinuation { continuation in
            let end = self.state.withLock { state in
                if state.end == nil { state.waiters.append(continuation) }
                return state.end
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    /// Waits on a thread of its own, which keeps no reference: the child is killed when the test has none left.
    private func awaitEnd(of process: pid_t) {
        Thread.detachNewThread { [weak self] in
            var information = siginfo_t()
            // It stays there as a zombie, so that its id is nobody else's, until nobody can signal it any more.
            while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
            guard let self else {
                waitpid(process, nil, 0)
                return
            }
            self.noteEnd()
        }
    }

    private func noteEnd() {
        let (end, waiters) = self.state.withLock { state in
            var status: Int32 = 0
            while waitpid(self.id, &status, 0) < 0 && errno == EINTR {}
            let end = status & 0x7F == 0 ? End.exited((status >> 8) & 0xFF) : .signalled(status & 0x7F)
            defer { state.waiters = [] }
            state.end = end
            return (end, state.waiters)
        }
        for waiter in waiters { waiter.resume(returning: end) }
    }
}
