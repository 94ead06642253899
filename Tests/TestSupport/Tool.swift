internal import Glibc
internal import Schema

/// Programs that tests start: those of the system, `git`, `gpg`, `ssh-keygen` and `openssl`, run to their end.
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
        let process = try Tool.spawn(words, environment: environment, output: output, complaint: complaint)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    /// Starts a program that reads nothing, and returns its process id, which somebody has to wait for. Throws
    /// `ToolFailed` when it cannot start.
    ///
    /// - Parameters:
    ///   - words: The program, found on `PATH` unless it has a slash, and its arguments.
    ///   - environment: Lines such as `HOME=/`; nil for this process's own.
    ///   - output: The file that takes what it prints.
    ///   - complaint: The file that takes its standard error.
    ///   - isAdding: Whether both files keep what is in them.
    package static func spawn(
        _ words: [String],
        environment: [String]?,
        output: String,
        complaint: String,
        isAdding: Bool = false
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | (isAdding ? O_APPEND : O_TRUNC)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, complaint, flags, 0o600)

        var process: pid_t = 0
        let outcome = Tool.withCStrings(words) { arguments in
            guard let environment else {
                return posix_spawnp(&process, words[0], &actions, nil, arguments, environ)
            }
            return Tool.withCStrings(environment) { posix_spawnp(&process, words[0], &actions, nil, arguments, $0) }
        }
        guard outcome == 0 else {
            let command = words.joined(separator: " ")
            throw MartletError("ToolFailed", "'\(command)' cannot be started: \(String(cString: strerror(outcome)))")
        }
        return process
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
