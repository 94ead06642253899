internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// A commit in force that the repository does not have any more.
    struct LostCommitTests {
        private let repository: TemporaryRepository

        init() throws {
            self.repository = try TemporaryRepository()
            try self.write("one")
            try self.repository.commit("Say one")
        }

        private func write(_ answer: String) throws {
            try self.repository.write("a.jsonl", #"{"input": {"prompt": "hello"}, "output": ""# + answer + "\"}\n")
            try self.repository.write(
                "endpoint.yaml",
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: replay}
                spec: {engine: replay, source: {uri: a.jsonl}}
                ---
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: replay}
                spec: {serve: {model: replay}, access: {anonymous: true}}
                """
            )
        }

        /// Puts another commit in the place of the newest, of which the repository keeps nothing.
        private func replaceNewest(by answer: String) throws -> ObjectID {
            try self.write(answer)
            try self.repository.git("add", "--all")
            try self.repository.git("commit", "--quiet", "--amend", "--message", "Say \(answer)")
            try self.repository.git("reflog", "expire", "--expire=now", "--all")
            try self.repository.git("gc", "--quiet", "--prune=now")
            return try self.repository.head()
        }

        private func answer(of martlet: RunningMartlet) async throws -> String? {
            let answer = try await martlet.data.post("/v1/completions", ["model": "replay", "prompt": "hello"])
            return answer.json["choices"]?.array?.first?["text"]?.string
        }

        @Test(arguments: [true, false])
        func lostCommitGoesOnUntilAPersonDecides(_ comesBack: Bool) async throws {
            let old = try self.repository.head()
            let elsewhere = try TemporaryRepository(bareCloneOf: self.repository)
            let martlet = try await RunningMartlet.started(
                self.repository.path,
                options: ["--sync-mode", "manual"]
            )
            #expect(try await martlet.verb("sync").code == 0)
            try await martlet.waitForConvergence(of: old)
            let new = try self.replaceNewest(by: "two")
            #expect(throws: (any Error).self) { try self.repository.git("cat-file", "-e", old) }
            try await martlet.wait(for: "the new commit to wait") {
                try await martlet.status().source.waiting?.commit.id == new
            }
            #expect(try await self.answer(of: martlet) == "one")

            // A restart finds only the record of it.
            #expect(await martlet.stop() == .exited(0))
            try await martlet.start()
            try await martlet.waitForEvent("CommitGone", saying: String(old.prefix(10)))
            try await martlet.wait(for: "the answer of before") { try await self.answer(of: martlet) == "one" }
            let status = try await martlet.verb("status").output
            #expect(status.contains("Commit    \(old.prefix(10)) Say one"), "\(status)")
            #expect(status.contains("CommitGone: commit \(old.prefix(10)), which is in force"), "\(status)")
            #expect(status.contains("'martlet sync' applies commit \(new.prefix(10))"), "\(status)")
            #expect(!status.contains("no commit is applied yet"), "\(status)")
            #expect(try await martlet.verb("sync", "--revision", old).complaint.contains("there is no branch"))
            #expect(try await self.answer(of: martlet) == "one")

            if comesBack {
                try self.repository.git("fetch", "--quiet", elsewhere.path, "main:kept")
                try await martlet.waitForConvergence(of: old)
                #expect(try await martlet.status().source.condition.reason == "Read")
                #expect(try await self.answer(of: martlet) == "one")
            }
            #expect(try await martlet.verb("sync").code == 0)
            try await martlet.waitForConvergence(of: new)
            #expect(try await self.answer(of: martlet) == "two")
            #expect(try await martlet.status().source.condition.reason == "Read")
        }
    }
}
