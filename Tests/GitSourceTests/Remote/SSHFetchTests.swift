import Foundation
import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Fetches over ssh know who the server is, and show a key.
@Suite(.enabled(if: SSHServer.shared != nil, "Debian's python3-paramiko is missing; run scripts/bootstrap"))
struct SSHFetchTests {
    /// A key in a file, and a repository that it opens.
    struct Keys {
        let setup: RemoteSetup
        let server: SSHServer

        init() throws {
            self.setup = try RemoteSetup()
            self.server = try #require(SSHServer.shared)
            try Data(self.server.knownHost.utf8).write(to: URL(filePath: self.file("known_hosts")))
            try self.makeKey("key", passphrase: "")
            try self.makeKey("locked", passphrase: "open sesame")
            let keys = try ["key", "locked"].map { try String(contentsOfFile: self.file("\($0).pub"), encoding: .utf8) }
            try Data(keys.joined().utf8).write(to: URL(filePath: self.file("authorized_keys")))
            try self.makeKey("stranger", passphrase: "")
        }

        func file(_ name: String) -> String { "\(self.setup.bare.path)/\(name)" }

        private func makeKey(_ name: String, passphrase: String) throws {
            try Tool.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", self.file(name)])
        }

        func fetch(
            key: String?,
            passphrase: String? = nil,
            knownHosts: String = "known_hosts",
            repository: String? = nil
        ) async throws -> FetchAnswer {
            let name = URL(filePath: self.setup.bare.path).lastPathComponent
            let options = RemoteOptions(
                url: try RemoteURL("\(self.server.address)/\(repository ?? name)"),
                ref: "main",
                credentials: RemoteCredentials(
                    username: name,
                    sshKey: key.map { self.file($0) },
                    knownHosts: self.file(knownHosts)
                )
            )
            let request = FetchRequest(
                task: .fetch,
                clone: self.setup.clone,
                options: options,
                password: nil,
                sshKeyPassphrase: passphrase
            )
            let process = FetchProcess(executable: RemoteSetup.child, arguments: [], deadline: .seconds(60))
            return try await process.perform(request)
        }
    }

    @Test(arguments: [("key", nil), ("locked", "open sesame")])
    func keyOpens(_ key: String, _ passphrase: String?) async throws {
        let keys = try Keys()
        let answer = try await keys.fetch(key: key, passphrase: passphrase)
        #expect(answer.commit == (try keys.setup.people.head()))
        #expect(keys.setup.leftovers() == [])
    }

    @Test(
        arguments: [
            ("stranger", nil, "CredentialsRefused"), ("locked", "wrong-words", "CredentialsRefused"),
            ("gone", nil, "KeyUnreadable"), (nil, nil, "CredentialsMissing"),
        ] as [(String?, String?, String)]
    )
    func otherKeysDoNot(_ key: String?, _ passphrase: String?, _ code: String) async throws {
        let keys = try Keys()
        let error = try await keys.setup.failure { try await keys.fetch(key: key, passphrase: passphrase) }
        #expect(error?.code == code, "\(error as Any)")
        #expect(error?.description.contains("wrong-words") == false)
        #expect(keys.setup.leftovers() == [])
    }

    @Test func exposedKeyIsRefused() async throws {
        let keys = try Keys()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keys.file("key"))
        let error = try await keys.setup.failure { try await keys.fetch(key: "key") }
        #expect(error?.code == "SecretExposed", "\(error as Any)")
    }

    @Test func unknownHostIsRefusedWithItsFingerprint() async throws {
        let keys = try Keys()
        let error = try await keys.setup.failure { try await keys.fetch(key: "key", knownHosts: "none") }
        #expect(error?.code == "HostKeyRefused", "\(error as Any)")
        #expect(error?.message.contains("ECDSA SHA256:") == true)
    }

    @Test func changedHostKeyIsRefused() async throws {
        let keys = try Keys()
        let place = keys.server.knownHost.prefix { $0 != " " }
        let other = try String(contentsOfFile: keys.file("key.pub"), encoding: .utf8)
        try Data("\(place) \(other)".utf8).write(to: URL(filePath: keys.file("known_hosts")))
        let error = try await keys.setup.failure { try await keys.fetch(key: "key") }
        #expect(["HostKeyRefused", "ConnectionLost"].contains(error?.code), "\(error as Any)")
        #expect(keys.setup.served() == nil)
    }

    @Test func missingRepositoryIsNamed() async throws {
        let keys = try Keys()
        let error = try await keys.setup.failure { try await keys.fetch(key: "key", repository: "none.git") }
        #expect(error?.code == "RemoteNotFound", "\(error as Any)")
    }
}
