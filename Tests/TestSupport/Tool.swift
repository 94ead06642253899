internal import Glibc
internal import Schema

/// Programs of the system that tests run to the end: `git`, `gpg`, `ssh-keygen`, `openssl`.
///
/// Foundation's `Process` is not used for them: waiting for its end may never end where other threads start programs too.
package enum Tool {
    /// Runs a program to its end; throws `ToolFailed` when it does not end well.
    package static func run(_ words: [String]) throws {
        let status = try Tool.status(of: words)
        guard status == 0 else {
            throw MartletError("ToolFailed", "\(words.joined(separator: " ")) ended with status \(status)")
        }
    }

    /// Runs a program to its end, and returns its status as `waitpid` gives it. Throws `ToolFailed` when it cannot start.
    ///
    /// - Parameters:
    ///   - environment: Lines such as `HOME=/`; nil for this process's own.
    ///   - output: The file that takes what it prints.
    ///   - complaint: The file that takes its standard error.
    package static func status(
        of words: [String],
        environment: [String]? = nil,
        output: String = "/dev/null",
        complaint: String = "/dev/null"
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, complaint, O_WRONLY | O_CREAT | O_TRUNC, 0o600)

        var process: pid_t = 0
        let outcome = Tool.withCStrings(words) { arguments in
            guard let environment else {
                return posix_spawnp(&process, words[0], &actions, nil, arguments, environ)
            }
            return Tool.withCStrings(environment) { posix_spawnp(&process, words[0], &actions, nil, arguments, $0) }
        }
        guard outcome == 0 else {
            throw MartletError("ToolFailed", "\(words[0]) cannot be started: \(String(cString: strerror(outcome)))")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
