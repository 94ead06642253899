internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// A git server tells that something was pushed.
    struct HookTests {
        /// The example that GitHub publishes.
        private static let secret = "It's a Secret to Everybody\n"
        private static let body = Array("Hello, World!".utf8)
        private static let signature = (
            "X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        )

        private static func secretFile(in folder: TemporaryFolder) throws -> String {
            let path = folder.file("secret")
            try Data(self.secret.utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            return path
        }

        @Test func aGoodHookHasTheSourceReadAndIsAudited() async throws {
            let (repository, folder) = (try TemporaryRepository(), try TemporaryFolder())
            let commit = try repository.commit("Begin")
            let martlet = try await RunningMartlet.started(
                repository.path,
                options: [
                    "--hooks-listen", "127.0.0.1:0", "--hook-secret-file", try Self.secretFile(in: folder),
                ]
            )
            try await martlet.waitForConvergence(of: commit)

            let refused = try await martlet.hooks.post("/hooks/git", bytes: [1], headers: [Self.signature])
            #expect(refused.status == 401, "\(refused.text)")
            #expect(try await martlet.auditEntries().isEmpty)

            // Many at once become few readings, and none is forgotten.
            for _ in 0..<20 {
                let taken = try await martlet.hooks.post("/hooks/git", bytes: Self.body, headers: [Self.signature])
                #expect(taken.status == 202, "\(taken.text)")
            }
            let entries = try await martlet.wait(for: "the hooks to be acted on") {
                let entries = try await martlet.auditEntries()
                return Self.hooks(in: entries) == 20 ? entries : nil
            }
            #expect(entries.count < 20)
            #expect(entries.allSatisfy { $0.action == "sync" && $0.actor == Actor("github") && $0.origin == "hook" })
            #expect(try await martlet.events().contains { $0.message.hasPrefix("github asked: sync") })
            #expect(try await martlet.audit().brokenAt == nil)
        }

        /// How many hooks the lines of the audit log tell of.
        private static func hooks(in entries: [AuditEntry]) -> Int {
            entries.reduce(0) { $0 + (Int($1.reason.prefix { $0.isNumber }) ?? 1) }
        }

        @Test func aSecretThatOthersCanReadIsRefusedAtTheStart() async throws {
            let (repository, folder) = (try TemporaryRepository(), try TemporaryFolder())
            try repository.commit("Begin")
            let path = try Self.secretFile(in: folder)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            let result = try await Executable.run(
                ["run", repository.path, "--state-dir", folder.file("state"), "--listen", "127.0.0.1:0"]
                    + ["--metrics-listen", "127.0.0.1:0", "--hooks-listen", "127.0.0.1:0", "--hook-secret-file", path],
                in: repository.path
            )
            #expect(result.code == 2)
            #expect(result.complaint.contains("chmod 600"), "\(result.complaint)")
            #expect(!result.complaint.contains("Everybody"))
        }
    }
}
