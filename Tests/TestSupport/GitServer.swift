internal import Foundation
internal import Glibc
internal import Schema

/// A git server on this machine, which serves well or badly; `Servers/git-server` says how.
///
/// One serves all tests of a process, and ends with it.
package struct GitServer: Sendable {
    /// `http://127.0.0.1:PORT`.
    package let address: String

    /// Serves the folder that ``TemporaryRepository`` makes its repositories in; nil where Python is missing.
    package static let shared = try? GitServer(
        servingFolder: FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path()
    )

    private init(servingFolder folder: String) throws {
        let port = try GitServer.start("python3", "git-server", folder)
        self.address = "http://127.0.0.1:\(port)"
    }

    /// Serves the same folder over TLS.
    ///
    /// - Parameter certificate: The path of a file with the certificate that it shows, and the key of that.
    package init(certificate: String) throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path()
        let port = try GitServer.start("python3", "git-server", folder, certificate)
        self.address = "https://localhost:\(port)"
    }

    /// Starts one of the scripts in `Servers` and returns the first line that it prints.
    static func start(_ python: String, _ script: String, _ folder: String, _ more: String...) throws -> String {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Servers/\(script)").path()
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw MartletError("ServerNotStarted", "there is no socket for it")
        }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let texts: [String] = [python, script, folder, "\(getpid())"] + more
        let words = texts.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let outcome = posix_spawnp(&process, python, &actions, nil, words, environ)
        close(ends[1])
        guard outcome == 0 else { throw MartletError("ServerNotStarted", "\(python) cannot be started") }
        var (line, byte): ([UInt8], UInt8) = ([], 0)
        while read(ends[0], &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard !line.isEmpty else { throw MartletError("ServerNotStarted", "\(script) ended before it listened") }
        return String(decoding: line, as: UTF8.self)
    }
}
