internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Several repositories side by side.
    struct SourcesTests {
        /// A repository of models and one of endpoints that use them, and the file that names both.
        private struct Teams {
            let models: TemporaryRepository
            let shop: TemporaryRepository
            let folder: TemporaryFolder
            let file: String

            init() throws {
                (self.models, self.shop, self.folder) = (
                    try TemporaryRepository(), try TemporaryRepository(), try TemporaryFolder()
                )
                self.file = self.folder.file("sources.yaml")
                let secret = self.folder.file("secret")
                let text = """
                    sources:
                      - {name: models, url: \(self.models.path), ref: main, path: serve, namespace: models}
                      - name: shop
                        url: \(self.shop.path)
                        namespace: shop
                        hook: {secret: {fromFile: secret}}
                    """
                try Data(text.utf8).write(to: URL(filePath: self.file))
                try Data("shop-secret".utf8).write(to: URL(filePath: secret))
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
                try self.answer("good day")
                try self.models.write("serve/.martletignore", "drafts/\n")
                try self.models.write("serve/drafts/broken.yaml", "kind: [")
                try self.models.write("serve/own.yaml", Self.endpoint("own"))
                try self.models.commit("serve/tiny.yaml", Self.model(in: "models"))
                try self.shop.commit("desk.yaml", Self.endpoint("desk"))
            }

            /// Has the model say something else; the file lies outside of the followed folder.
            @discardableResult
            func answer(_ words: String) throws -> ObjectID {
                try self.models.commit("answers.jsonl", "{\"default\": true, \"output\": \"\(words)\"}\n")
            }

            static func model(in namespace: String) -> String {
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: tiny, namespace: \(namespace)}
                spec: {engine: replay, source: {uri: answers.jsonl}}
                """
            }

            static func endpoint(_ name: String) -> String {
                """
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: \(name)}
                spec: {serve: {model: models/tiny}, access: {anonymous: true}}
                """
            }

            func start(_ options: [String] = []) async throws -> RunningMartlet {
                try await RunningMartlet.started(
                    self.shop.path,
                    options: ["--sources", self.file, "--secrets-dir", self.folder.path, "-n", "shop"] + options
                )
            }
        }

        /// Waits until an endpoint answers with these words, and returns the commit that the answer carries.
        private static func answer(
            of endpoint: String,
            _ words: String,
            from martlet: RunningMartlet
        ) async throws -> String? {
            try await martlet.wait(for: "'\(endpoint)' to say '\(words)'") {
                let answer = try await martlet.data.chat(endpoint, "hello")
                return answer.content == words ? .some(answer.headers["x-martlet-commit"]) : nil
            }
        }

        @Test func eachSourceHasItsCommitAndOneThatBreaksHoldsUpNoOther() async throws {
            let teams = try Teams()
            let martlet = try await teams.start()
            let first = try await Self.answer(of: "desk", "good day", from: martlet)
            #expect(first == (try teams.shop.head()))
            let status = try await martlet.status()
            #expect(status.diagnostics.isEmpty, "\(status.diagnostics)")
            #expect(status.sources.map(\.name) == ["models", "shop"])
            #expect(status.sources.map(\.commit?.id) == [try teams.models.head(), try teams.shop.head()])
            #expect(status.sources.map(\.condition.status) == [.yes, .yes])
            #expect(try await martlet.verb("status").output.contains("  shop  \(try teams.shop.head().prefix(10))"))

            // Who looks back finds the commit of each source by its name.
            let (models, shop) = (try teams.models.head().prefix(10), try teams.shop.head().prefix(10))
            let converged = try await martlet.wait(for: "the word of convergence") {
                try await martlet.events().first { $0.reason == "Converged" }
            }
            #expect(converged.message == "nothing is left to do for commit models@\(models), shop@\(shop)")
            let history = try await martlet.verb("history").output
            #expect(history.contains("   shop@\(shop)   "), "\(history)")
            #expect(history.contains("   models@\(models), shop@\(shop)\n"), "\(history)")

            // A file of the models' repository changes what the shop's endpoint says, not the shop's commit.
            try teams.answer("good evening")
            #expect(try await Self.answer(of: "desk", "good evening", from: martlet) == first)

            let served = try await Self.answer(of: "models/own", "good evening", from: martlet)
            #expect(served == (try teams.models.head()))

            try teams.models.git("branch", "--move", "main", "elsewhere")
            let head = try teams.shop.commit("till.yaml", Teams.endpoint("till"))
            #expect(try await Self.answer(of: "till", "good evening", from: martlet) == head)
            #expect(try await Self.answer(of: "desk", "good evening", from: martlet) == head)
            let broken = try await martlet.status()
            #expect(broken.sources.map(\.condition.status) == [.no, .yes])
            #expect(broken.sources.first?.condition.reason == "RefNotFound")
            #expect(broken.sync != .synced)
            let sync = try await martlet.verb("sync")
            #expect(sync.code == 2 && sync.complaint.contains("source 'models': "), "\(sync.complaint)")
            #expect(try await martlet.verb("sync", "shop").code == 0)

            // It serves after a restart as well, though nobody can read the models' newest commit.
            await martlet.kill()
            try await martlet.start()
            #expect(try await Self.answer(of: "desk", "good evening", from: martlet) == head)
            #expect(try await Self.answer(of: "till", "good evening", from: martlet) == head)

            // The same when the models' repository is gone altogether: what it declared goes on as it was promoted.
            await martlet.kill()
            try FileManager.default.removeItem(atPath: teams.models.path)
            try await martlet.start()
            #expect(try await Self.answer(of: "desk", "good evening", from: martlet) == head)
            #expect(try await Self.answer(of: "models/own", "good evening", from: martlet) == served)
            let gone = try await martlet.status()
            #expect(gone.sources.map(\.condition.reason) == ["RepositoryNotFound", "Read"])
            #expect(gone.sources.map(\.commit?.id) == [nil, head])
            #expect(try await martlet.events().allSatisfy { $0.reason != "Pruned" })
        }

        @Test func oneTeamCannotTakeOverWhatBelongsToAnother() async throws {
            let teams = try Teams()
            let martlet = try await teams.start(["--hooks-listen", "127.0.0.1:0"])
            _ = try await Self.answer(of: "desk", "good day", from: martlet)
            try teams.shop.write("answers.jsonl", "{\"default\": true, \"output\": \"taken over\"}\n")
            try teams.shop.commit("model.yaml", Teams.model(in: "models"))
            let diagnostic = try await martlet.wait(for: "the manifest to be refused") {
                try await martlet.status().diagnostics.first
            }
            #expect(diagnostic.description.hasPrefix("shop:model.yaml:3:35: error: source 'shop' may declare"))
            #expect(try await Self.answer(of: "desk", "good day", from: martlet) == (try teams.shop.head()))

            let token = ("X-Gitlab-Token", "shop-secret")
            for (path, code) in [("/hooks/git/shop", 202), ("/hooks/git/models", 404), ("/hooks/git", 202)] {
                let reply = try await martlet.hooks.post(path, bytes: [], headers: [token])
                #expect(reply.status == code, "\(path): \(reply.text)")
            }
            try await martlet.wait(for: "the hook's line in the audit log") {
                try await martlet.auditEntries().contains { $0.actor == Actor("gitlab") && $0.origin == "hook" }
            }
            let missing = try await martlet.verb("sync", "none")
            #expect(
                missing.code == 2 && missing.complaint.contains("there is no source 'none'"),
                "\(missing.complaint)"
            )
            #expect(try await martlet.verb("sync", "shop").code == 0)
        }

        @Test func anUnsignedCommitOfOneSourceIsRefusedWhileTheOthersGoOn() async throws {
            let (teams, key) = (try Teams(), try SigningKey(.ssh, address: "ada@example.org"))
            let keys = teams.folder.file("allowed_signers")
            try Data(try key.trusted()).write(to: URL(filePath: keys))
            try teams.models.commit("Vouch", signedBy: key)
            let desk = try teams.shop.commit("Vouch", signedBy: key)
            let martlet = try await teams.start(["--require-signatures", keys])
            #expect(try await Self.answer(of: "desk", "good day", from: martlet) == desk)

            let unsigned = try teams.answer("taken over")
            let event = try await martlet.waitForEvent("SignatureRejected", saying: "source 'models': commit")
            #expect(event.commit == unsigned && event.message.contains("'models:answers.jsonl'"), "\(event.message)")
            let till = try teams.shop.commit("till.yaml", Teams.endpoint("till"), signedBy: key)
            #expect(try await Self.answer(of: "till", "good day", from: martlet) == till)
            let status = try await martlet.status()
            #expect(status.sources.map(\.condition.reason) == ["SignatureRejected", "Read"])
            let lines = try await martlet.verb("status").output
            #expect(lines.contains("SignatureRejected: commit \(unsigned.prefix(10)) is not applied"), "\(lines)")
            let entries = try await martlet.auditEntries()
            #expect(entries.contains { $0.action == "refuse" && $0.commit == unsigned })
            let taken = entries.first { $0.action == "accept" && $0.commit == till }
            #expect(taken?.signer?.hasPrefix("ada@example.org (SHA256:") == true)

            try teams.models.commit("Signed", signedBy: key, amend: true)
            #expect(try await Self.answer(of: "till", "taken over", from: martlet) == till)
        }

        @Test func aFileOfSourcesWithErrorsIsRefusedWithAllOfThem() async throws {
            let folder = try TemporaryFolder()
            let file = folder.file("sources.yaml")
            try Data("sources:\n  - {name: a, ulr: x}\n".utf8).write(to: URL(filePath: file))
            let result = try await Executable.run(["run", "--sources", file, "--state-dir", folder.file("state")])
            #expect(result.code == 2)
            #expect(result.complaint.contains("\(file):2:6: error: missing field 'url'"), "\(result.complaint)")
            #expect(result.complaint.contains("did you mean 'url'?"), "\(result.complaint)")
        }
    }
}
