import Foundation
import GitSource
import Schema
import TestSupport
import Testing

/// Fetches over https know who the server is, and tell nobody else who we are.
@Suite(.enabled(if: GitServer.shared != nil, "python3 is missing; run scripts/bootstrap"))
struct TLSFetchTests {
    private let setup: RemoteSetup
    private let authority: TestAuthority

    init() throws {
        (self.setup, self.authority) = (try RemoteSetup(), try TestAuthority())
    }

    private func fetch(
        _ server: GitServer,
        _ manner: String = "good",
        password: String? = nil,
        caFile: String? = nil
    ) async throws -> FetchAnswer {
        let name = URL(filePath: self.setup.bare.path).lastPathComponent
        let options = RemoteOptions(
            url: try RemoteURL("\(server.address)/\(manner)/\(name)"),
            ref: "main",
            credentials: RemoteCredentials(username: password.map { _ in "ada" }, caFile: caFile),
            reservedBytes: 0
        )
        let request = FetchRequest(
            task: .fetch,
            clone: self.setup.clone,
            options: options,
            password: password,
            sshKeyPassphrase: nil
        )
        let process = FetchProcess(executable: RemoteSetup.child, arguments: [], deadline: .seconds(60))
        return try await process.perform(request)
    }

    @Test func serverOfATrustedAuthorityIsFetchedFrom() async throws {
        let server = try self.authority.server()
        let answer = try await self.fetch(server, caFile: self.authority.file)
        #expect(answer.commit == (try self.setup.people.head()))
        let next = try self.setup.push()
        let again = try await self.fetch(server, "auth", password: "open sesame", caFile: self.authority.file)
        #expect(again.commit == next)
        #expect(self.setup.leftovers() == [])
    }

    @Test(
        arguments: [
            (.none, false, "--ca-file"), (.expired, true, "validity has expired"),
            (.otherHost, true, "is for another host"),
        ] as [(TestAuthority.Flaw, Bool, String)]
    )
    func otherServersAreRefused(_ flaw: TestAuthority.Flaw, _ isTrusted: Bool, _ words: String) async throws {
        let server = try self.authority.server(flaw)
        let error = try await self.setup.failure {
            try await self.fetch(
                server,
                "auth",
                password: "open sesame",
                caFile: isTrusted ? self.authority.file : nil
            )
        }
        #expect(error?.code == "CertificateRefused", "\(error as Any)")
        #expect(error?.description.contains(words) == true, "\(error as Any)")
        #expect(error?.disposition == .waiting)
        #expect(self.setup.served() == nil && self.setup.leftovers() == [])
    }

    @Test func anotherAuthorityIsNotTrusted() async throws {
        let server = try self.authority.server()
        let other = try TestAuthority()
        let error = try await self.setup.failure { try await self.fetch(server, caFile: other.file) }
        #expect(error?.code == "CertificateRefused", "\(error as Any)")
    }

    @Test(arguments: ["none.pem", "empty.pem"])
    func fileWithoutAuthoritiesIsNamed(_ name: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write("empty.pem", Array("no certificate\n".utf8))
        let server = try self.authority.server()
        let error = try await self.setup.failure { try await self.fetch(server, caFile: folder.file(name)) }
        #expect(error?.code == "AuthoritiesUnreadable", "\(error as Any)")
        #expect(error?.message.contains(folder.file(name)) == true)
    }

    @Test func secretsStayOutOfErrors() async throws {
        let server = try self.authority.server()
        let error = try await self.setup.failure {
            try await self.fetch(server, "auth", password: "wrong-words", caFile: self.authority.file)
        }
        #expect(error?.code == "CredentialsRefused", "\(error as Any)")
        let encoded = Data("ada:wrong-words".utf8).base64EncodedString()
        let said = "\(error as Any) \(error?.cause.map { "\($0)" } ?? "")"
        #expect(!said.contains("wrong-words") && !said.contains(encoded))
    }

    /// A redirect to http would send what follows in the clear.
    @Test func redirectToPlainHTTPIsRefused() async throws {
        let server = try self.authority.server()
        let error = try await self.setup.failure {
            try await self.fetch(server, "same-host", caFile: self.authority.file)
        }
        #expect(error?.code == "RedirectRefused", "\(error as Any)")
    }

    @Test func authoritiesAreForHTTPSAlone() throws {
        let error = #expect(throws: MartletError.self) {
            let options = RemoteOptions(
                url: try RemoteURL("ssh://git@example.org/a.git"),
                credentials: RemoteCredentials(caFile: "ca.pem")
            )
            _ = try RemoteRepository(
                options,
                clonesIn: self.setup.clone,
                surroundings: RemoteRepository.Surroundings(
                    fetcher: { _ in FetchAnswer(commit: "") },
                    secret: { _ in "" },
                    clock: ContinuousClock(),
                    wallClock: ManualWallClock(),
                    jitter: { 0 }
                )
            )
        }
        #expect(error?.code == "BadRemote" && error?.message.contains("is for https") == true)
    }
}
