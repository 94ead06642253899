import Foundation
import GitSource
import Planning
import Schema
import TestSupport
import Testing

/// Whatever a server does, the clone keeps what it had, the reason is named, and nothing stays behind.
struct FetchTroubleTests {
    /// How a server fails, and what is said of it.
    struct Trouble: CustomTestStringConvertible {
        var manner: String
        var code: String
        var words: String
        var disposition = MartletError.Disposition.retryable
        var testDescription: String { "\(self.manner): \(self.code)" }
    }

    static let troubles = [
        Trouble(manner: "cut", code: "ConnectionLost", words: "tried again"),
        Trouble(manner: "corrupt", code: "PackCorrupt", words: "damaged"),
        Trouble(manner: "incomplete", code: "PackIncomplete", words: "left out"),
        Trouble(manner: "busy", code: "RemoteFailing", words: "503"),
        Trouble(manner: "private", code: "RedirectRefused", words: "10.0.0.1", disposition: .waiting),
        Trouble(manner: "metadata", code: "RedirectRefused", words: "169.254.169.254", disposition: .waiting),
        Trouble(manner: "loop", code: "RedirectLoop", words: "without an end", disposition: .waiting),
        Trouble(manner: "page", code: "NotAGitServer", words: "text/html", disposition: .waiting),
        Trouble(manner: "missing", code: "RemoteNotFound", words: "no repository", disposition: .waiting),
        Trouble(manner: "auth", code: "CredentialsMissing", words: "--password-env", disposition: .waiting),
    ]

    @Test(arguments: troubles)
    func troubleIsNamedAndLeavesNothing(_ trouble: Trouble) async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch()
        let pushed = try setup.push()
        let error = try await setup.failure { try await setup.fetch(trouble.manner) }
        #expect(error?.code == trouble.code, "\(error as Any)")
        #expect(error?.description.contains(trouble.words) == true, "\(error as Any)")
        #expect(error?.disposition == trouble.disposition)
        #expect(setup.served() == first.commit)
        #expect(setup.leftovers() == [])
        // Trouble that is over is over.
        #expect(try await setup.fetch().commit == pushed)
    }

    @Test
    func stallEndsAtTheDeadline() async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch()
        _ = try setup.push()
        let error = try await setup.failure { try await setup.fetch("stall", deadline: .seconds(1)) }
        #expect(error?.code == "FetchTimedOut", "\(error as Any)")
        #expect(error?.disposition == .retryable)
        #expect(setup.served() == first.commit)
        #expect(setup.leftovers() == [])
    }

    @Test
    func endlessPackIsCutOff() async throws {
        let setup = try RemoteSetup()
        let first = try await setup.fetch()
        _ = try setup.push()
        let error = try await setup.failure { try await setup.fetch("endless", maxBytes: 1 << 20) }
        #expect(error?.code == "FetchTooLarge", "\(error as Any)")
        #expect(error?.description.contains("1048576 bytes") == true)
        #expect(setup.served() == first.commit)
        #expect(setup.leftovers() == [])
    }

    @Test
    func fullDiskIsLeftAlone() async throws {
        let setup = try RemoteSetup()
        let error = try await setup.failure { try await setup.fetch(reservedBytes: 1 << 60) }
        #expect(error?.code == "DiskAlmostFull", "\(error as Any)")
        #expect(setup.leftovers() == [])
    }

    @Test
    func wrongPasswordIsNeverRepeated() async throws {
        let setup = try RemoteSetup()
        let error = try await setup.failure { try await setup.fetch("auth", password: "hunter2-secret") }
        #expect(error?.code == "CredentialsRefused", "\(error as Any)")
        #expect(error?.description.contains("hunter2") == false)
        #expect(setup.served() == nil)
    }

    @Test
    func nobodyListens() async throws {
        let setup = try RemoteSetup()
        let request = FetchRequest(
            task: .fetch,
            clone: setup.clone,
            options: RemoteOptions(url: try RemoteURL("http://127.0.0.1:1/models.git")),
            password: nil,
            sshKeyPassphrase: nil
        )
        let process = FetchProcess(executable: RemoteSetup.child, arguments: [], deadline: .seconds(60))
        let error = try await setup.failure { try await process.perform(request) }
        #expect(error?.code == "RemoteUnreachable", "\(error as Any)")
        #expect(error?.disposition == .retryable)
    }

    @Test(arguments: ["file", "good"])
    func missingRefIsNamedWithItsNeighbour(_ manner: String) async throws {
        let setup = try RemoteSetup()
        let error = try await setup.failure { try await setup.fetch(manner, ref: "mian") }
        #expect(error?.code == "RefNotFound", "\(error as Any)")
        #expect(error?.message.contains("'main'") == true, "\(error as Any)")
        #expect(error?.disposition == .waiting)
    }

    @Test(arguments: ["file", "good"])
    func missingCommitIsNamed(_ manner: String) async throws {
        let setup = try RemoteSetup()
        let id = String(repeating: "ab", count: 20)
        let error = try await setup.failure { try await setup.fetch(manner, ref: id) }
        #expect(error?.code == "RefNotFound", "\(error as Any)")
        #expect(error?.message.contains(id) == true)
        #expect(setup.leftovers() == [])
    }

    @Test
    func missingFolderIsNamed() async throws {
        let setup = try RemoteSetup()
        let options = RemoteOptions(url: try RemoteURL("file://\(setup.bare.path)-gone"))
        let request = FetchRequest(
            task: .fetch,
            clone: setup.clone,
            options: options,
            password: nil,
            sshKeyPassphrase: nil
        )
        let process = FetchProcess(executable: RemoteSetup.child, arguments: [], deadline: .seconds(60))
        let error = try await setup.failure { try await process.perform(request) }
        #expect(error?.code == "RemoteNotFound", "\(error as Any)")
    }

    @Test
    func emptyRepositoryIsWaitedFor() async throws {
        let setup = try RemoteSetup()
        try setup.bare.git("update-ref", "-d", "refs/heads/main")
        let error = try await setup.failure { try await setup.fetch() }
        #expect(error?.code == "RepositoryEmpty", "\(error as Any)")
        #expect(error?.disposition == .waiting)
    }
}
