internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Mass removals and commits that wait, with the real program.
    struct GuardTests {
        @Test func massDeletionIsStoppedAndConfirmed() async throws {
            let repository = try TemporaryRepository()
            try Self.write(5, to: repository)
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: try repository.commit("Five endpoints"))

            try Self.write(1, to: repository)
            let commit = try repository.commit("Move the folder")
            let event = try await martlet.waitForEvent("PruneGuarded")
            #expect(event.message.contains("4 of 5 endpoints"), "\(event.message)")
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.ask("e4", "hello") == "hi")
            let confirm = "martlet confirm \(commit.prefix(10))"
            for words in [
                ["status"], ["get", "endpoints"], ["describe", "endpoint/e4"], ["plan", "--live"], ["events"],
            ] {
                let shown = try await martlet.verb(words)
                #expect(shown.output.contains(confirm), "\(words): \(shown.output)")
            }

            // It stands through a crash; another commit is not confirmed by this one's word.
            await martlet.kill()
            try await martlet.start()
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.ask("e4", "hello") == "hi")
            let wrong = try await martlet.verb("confirm", "0000000")
            #expect(wrong.code == 2)
            #expect(wrong.complaint.contains(confirm), "\(wrong.complaint)")

            let confirmed = try await martlet.verb("confirm", String(commit.prefix(10)), "--reason", "they moved")
            #expect(confirmed.code == 0, "\(confirmed.complaint)")
            #expect(confirmed.output == "commit \(commit.prefix(10)) removes 4 endpoints\n")
            try await martlet.wait(for: "the endpoints to be gone") {
                let status = try await martlet.status()
                return status.sync == .synced && status.endpoints.count == 1
            }
            #expect(try await martlet.data.chat("e4", "hello").status == 404)
            #expect(try await martlet.ask("e0", "hello") == "hi")
            let entry = try await martlet.auditEntries().first { $0.action == "confirm" }
            #expect(entry?.reason == "they moved" && entry?.subject.contains(commit) == true)
            #expect(try await martlet.audit().brokenAt == nil)
        }

        @Test(arguments: ["apiVersion: martlet.dve/v1", "apiVersion: martlet.dev/v2", "apiVersion: ["])
        func typoInOneFileRemovesNothing(_ typo: String) async throws {
            let repository = try TemporaryRepository()
            try Self.write(2, to: repository)
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: try repository.commit("Two endpoints"))
            try repository.write("e1.yaml", Self.endpoint(1).replacing("apiVersion: martlet.dev/v1", with: typo))
            let commit = try repository.commit("A slip")
            try await martlet.waitForEvent("ManifestInvalid", saying: "e1.yaml")
            try await martlet.waitForConvergence(of: commit)
            for _ in 1...2 {
                #expect(try await martlet.ask("e1", "hello") == "hi")
                #expect(try await martlet.status().sync == .outOfSync)
                #expect(try await martlet.events().allSatisfy { $0.reason != "Pruned" })
                await martlet.kill()
                try await martlet.start()
                try await martlet.waitForConvergence(of: commit)
            }
        }

        @Test func manualModeKeepsItsCommitAcrossARestart() async throws {
            let repository = try TemporaryRepository()
            try Self.write(1, to: repository)
            let one = try repository.commit("One")
            let martlet = try await RunningMartlet.started(repository.path, options: ["--sync-mode", "manual"])
            try await martlet.waitForEvent("ManualSync", saying: String(one.prefix(10)))
            #expect(try await martlet.verb("sync").code == 0)
            try await martlet.waitForConvergence(of: one)
            #expect(try await martlet.ask("e0", "hello") == "hi")

            try Self.write(1, answer: "good day", to: repository)
            let two = try repository.commit("Two")
            try await martlet.waitForEvent("ManualSync", saying: String(two.prefix(10)))
            let plan = try await martlet.verb("plan", "--live")
            #expect(plan.code == 1)
            #expect(plan.output.contains("of commit \(two.prefix(10)), which waits"), "\(plan.output)")
            await martlet.kill()
            try await martlet.start()
            try await martlet.waitForConvergence(of: one)
            #expect(try await martlet.ask("e0", "hello") == "hi")
            let status = try await martlet.status()
            #expect(status.sync == .outOfSync && status.health == .healthy)
            #expect(status.source.waiting?.commit.id == two)

            let sync = try await martlet.verb("sync", "--revision", String(two.prefix(10)), "--reason", "reviewed")
            #expect(sync.code == 0 && sync.output.hasPrefix(String(two.prefix(10))), "\(sync.complaint)")
            try await martlet.waitForConvergence(of: two)
            #expect(try await martlet.ask("e0", "hello") == "good day")
            #expect(try await martlet.status().sync == .synced)
        }

        /// What blocks an endpoint is named wherever the endpoint is shown.
        @Test func blockerIsNamedEverywhere() async throws {
            let repository = try TemporaryRepository()
            try Self.write(1, to: repository)
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: try repository.commit("One"))
            try repository.write("model.yaml", Self.model.replacing("engine: replay", with: "engine: [replay]"))
            try await martlet.waitForConvergence(of: try repository.commit("Break the model"))
            #expect(try await martlet.ask("e0", "hello") == "hi")
            for words in [
                ["status"], ["get", "endpoints"], ["describe", "endpoint/e0"], ["plan", "--live"],
                ["events", "endpoint/e0"],
            ] {
                let shown = try await martlet.verb(words)
                #expect(shown.output.contains("Model/default/m"), "\(words): \(shown.output)")
            }
        }

        private static let model = """
            apiVersion: martlet.dev/v1
            kind: Model
            metadata: {name: m}
            spec: {engine: replay, source: {uri: m.jsonl}}

            """

        private static func endpoint(_ number: Int) -> String {
            """
            apiVersion: martlet.dev/v1
            kind: Endpoint
            metadata: {name: e\(number)}
            spec: {serve: {model: m}, access: {anonymous: true}}

            """
        }

        /// A model with one answer, and so many endpoints of it, each in a file of its own.
        private static func write(_ count: Int, answer: String = "hi", to repository: TemporaryRepository) throws {
            try repository.write("m.jsonl", "{\"default\": true, \"output\": \"\(answer)\"}\n")
            try repository.write("model.yaml", self.model)
            for number in 0..<5 {
                if number < count {
                    try repository.write("e\(number).yaml", self.endpoint(number))
                } else if FileManager.default.fileExists(atPath: repository.absolute("e\(number).yaml")) {
                    try FileManager.default.removeItem(atPath: repository.absolute("e\(number).yaml"))
                }
            }
        }
    }
}
