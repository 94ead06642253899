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
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Servers/git-server").path()
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw MartletError("ServerNotStarted", "there is no socket for it")
        }
        defer { for end in ends { close(end) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        let texts: [String] = ["python3", script, folder]
        let words = texts.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        guard posix_spawnp(&process, "python3", &actions, nil, words, environ) == 0 else {
            throw MartletError("ServerNotStarted", "python3 cannot be started")
        }
        close(ends[1])
        ends[1] = -1
        var (line, byte): ([UInt8], UInt8) = ([], 0)
        while read(ends[0], &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        guard !line.isEmpty else { throw MartletError("ServerNotStarted", "\(script) ended before it listened") }
        self.address = "http://127.0.0.1:\(String(decoding: line, as: UTF8.self))"
    }
}
