internal import Foundation
internal import Glibc
internal import Schema

/// One run of the `git` command line with an environment that depends on nothing of this machine but `PATH`.
struct GitCommand {
    /// The folder that git works in.
    var folder: String
    var arguments: [String]
    /// The date of the author and the committer, as git writes it: `1700000000 +0000`.
    var time: String

    /// Runs the command and returns what it printed, without the final line break; throws what it complained about.
    func run() throws -> String {
        // Files, not pipes: a process that another test starts meanwhile would inherit a pipe and keep it open.
        let transcript = "\(self.folder)-\(UUID().uuidString)"
        let (output, complaint) = ("\(transcript).out", "\(transcript).err")
        defer {
            unlink(output)
            unlink(complaint)
        }
        let status = try Tool.status(
            of: self.words,
            environment: self.environment,
            output: output,
            complaint: complaint
        )
        guard status == 0 else {
            let what = "git \(self.arguments.joined(separator: " "))"
            throw MartletError("GitCommandFailed", "\(what): \(Self.text(of: complaint))")
        }
        return Self.text(of: output)
    }

    private var words: [String] {
        // A background `gc` would race with the removal of the folder; nothing here has to survive a power cut.
        ["git", "-C", self.folder, "-c", "gc.auto=0", "-c", "core.fsync=none"] + self.arguments
    }

    private var environment: [String] {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return [
            "PATH=\(path)", "HOME=\(self.folder)", "LC_ALL=C.UTF-8", "TZ=UTC",
            "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
            "GIT_AUTHOR_NAME=Ada Test", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_AUTHOR_DATE=\(self.time)",
            "GIT_COMMITTER_NAME=Ada Test", "GIT_COMMITTER_EMAIL=ada@example.org", "GIT_COMMITTER_DATE=\(self.time)",
        ]
    }

    private static func text(of file: String) -> String {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
