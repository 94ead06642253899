internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// A repository on a git server that speaks TLS and asks who we are.
    @Suite(.enabled(if: GitServer.shared != nil, "python3 is missing; run scripts/bootstrap"))
    struct SecureRemoteTests {
        @Test func serverIsTrustedByItsAuthorityAndTheSecretShowsNowhere() async throws {
            let (people, authority) = (try TemporaryRepository(), try TestAuthority())
            try people.write("answers.jsonl", "{\"default\": true, \"output\": \"good day\"}\n")
            try people.commit(
                "desk.yaml",
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: desk}
                spec: {engine: replay, source: {uri: answers.jsonl}}
                ---
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: desk}
                spec: {serve: {model: desk}, access: {anonymous: true}}

                """
            )
            let bare = try TemporaryRepository(bareCloneOf: people)
            try people.git("remote", "add", "origin", bare.path)
            let folder = try TemporaryFolder()
            let secret = folder.file("token")
            try folder.write("token", Array("open sesame".utf8))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
            let address = "\(try authority.server().address)/auth/\(URL(filePath: bare.path).lastPathComponent)"
            let options = ["--ref", "main", "--poll", "1s", "--username", "ada", "--password-file", secret]
            let martlet = try await RunningMartlet.started(
                address,
                options: options + ["--ca-file", authority.file]
            )
            try await martlet.waitForConvergence(of: people.head())
            #expect(try await martlet.ask("desk", "hello") == "good day")
            try await Self.expectNoSecret(in: martlet)

            // Without the authority the server is nobody; with a wrong secret we are. What was fetched serves on.
            await martlet.kill()
            let wary = RunningMartlet(restarting: martlet, options: options)
            try await wary.start()
            try await wary.wait(for: "the certificate to be refused") {
                try await wary.status().source.condition.reason == "CertificateRefused"
            }
            #expect(try await wary.ask("desk", "hello") == "good day")
            #expect(try await Self.verb("status", of: wary).output.contains("--ca-file"))
            await wary.kill()

            try folder.write("token", Array("wrong-words".utf8))
            let wrong = RunningMartlet(restarting: wary, options: options + ["--ca-file", authority.file])
            try await wrong.start()
            try await wrong.wait(for: "the password to be refused") {
                try await wrong.status().source.condition.reason == "CredentialsRefused"
            }
            #expect(try await wrong.ask("desk", "hello") == "good day")
            try await Self.expectNoSecret(in: wrong)
        }

        private static func verb(_ verb: String, of martlet: RunningMartlet) async throws -> Executable.Result {
            try await Executable.run([verb], environment: ["MARTLET_STATE_DIR": martlet.stateDirectory])
        }

        /// Looks for secrets, plain and as they are sent, in all that people read.
        private static func expectNoSecret(in martlet: RunningMartlet) async throws {
            var said = [martlet.log]
            for verb in ["status", "events", "audit", "history"] {
                let result = try await Self.verb(verb, of: martlet)
                said += [result.output, result.complaint]
            }
            for secret in ["open sesame", "wrong-words"] {
                let sent = Data("ada:\(secret)".utf8).base64EncodedString()
                #expect(!said.contains { $0.contains(secret) || $0.contains(sent) })
            }
        }
    }
}
