internal import Foundation
internal import Schema

/// An ssh server on this machine that lets fetch; `Servers/ssh-server` says how.
///
/// One serves all tests of a process, and ends with it.
package struct SSHServer: Sendable {
    /// `ssh://127.0.0.1:PORT`.
    package let address: String
    /// The line of a file of known hosts that trusts it.
    package let knownHost: String

    /// Serves the folder that ``TemporaryRepository`` makes its repositories in; nil where Debian's python3-paramiko is
    /// missing.
    package static let shared = try? SSHServer(
        servingFolder: FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path()
    )

    private init(servingFolder folder: String) throws {
        let words = try GitServer.start("/usr/bin/python3", "ssh-server", folder).split(separator: " ")
        guard words.count == 3 else { throw MartletError("ServerNotStarted", "ssh-server prints something else") }
        self.address = "ssh://127.0.0.1:\(words[0])"
        self.knownHost = "[127.0.0.1]:\(words[0]) \(words[1]) \(words[2])\n"
    }
}
