internal import Foundation
internal import Glibc
internal import Schema

/// A child process that a test starts and waits for; its standard input is in the test's hands.
package struct TestChild: Sendable {
    private let process: pid_t
    private let input: Int32

    /// Starts a program that is found on `PATH`. Its output is dropped, its complaints are the test's.
    package init(_ words: [String]) throws {
        var ends: [Int32] = [-1, -1]
        // Closed on exec, so that no other child keeps this one's input open.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw TestChild.failure(words, errno) }
        defer { Glibc.close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let outcome = posix_spawnp(&process, words[0], &actions, nil, &arguments, environ)
        guard outcome == 0 else {
            Glibc.close(ends[0])
            throw TestChild.failure(words, outcome)
        }
        self.process = process
        self.input = ends[0]
    }

    /// Writes to the child's standard input.
    package func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = send(self.input, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Closes the child's standard input and waits for its end; blocks. Negative for a signal.
    package func finish() -> Int32 {
        Glibc.close(self.input)
        var status: Int32 = 0
        while waitpid(self.process, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
    }

    /// The same on a thread of its own.
    package func finished() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.finish()) }
        }
    }

    private static func failure(_ words: [String], _ code: Int32) -> MartletError {
        MartletError(
            "NotStarted",
            "'\(words.joined(separator: " "))' cannot be started: \(String(cString: strerror(code)))"
        )
    }
}
