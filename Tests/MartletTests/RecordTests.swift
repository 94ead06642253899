internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// What a request leaves behind, from the data plane to the command line.
    struct RecordTests {
        private static func repository(log: String) throws -> TemporaryRepository {
            let repository = try TemporaryRepository()
            try repository.write(
                "desk.yaml",
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: echo}
                spec: {engine: replay, source: {uri: answers.jsonl}}
                ---
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: desk}
                spec: {serve: {model: echo}, access: {anonymous: true}, log: \(log)}

                """
            )
            try repository.write("answers.jsonl", "{\"default\": true, \"output\": \"Hello there\"}\n")
            try repository.commit("Serve a recording")
            return repository
        }

        private static func ask(_ martlet: RunningMartlet, _ message: String) async throws -> String {
            let answer = try await martlet.data.chat("desk", message)
            #expect(answer.status == 200, "\(answer.text)")
            return try #require(answer.headers["x-request-id"])
        }

        @Test func everyAnswerOutlivesAKill() async throws {
            let repository = try Self.repository(log: "{durability: sync}")
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            var ids: [String] = []
            for number in 0..<20 { ids.append(try await Self.ask(martlet, "question \(number)")) }
            await martlet.kill()
            try await martlet.start()
            let logs = try await martlet.verb("logs", "-o", "jsonl")
            let kept = try logs.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            #expect(kept.compactMap { $0["id"]?.string } == ids.reversed())
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }

        @Test func requestsAreTracedSearchedAndJudged() async throws {
            let repository = try Self.repository(log: "{redact: [email]}")
            let martlet = try await RunningMartlet.started(repository.path)
            try await martlet.waitForConvergence(of: repository.head())
            let id = try await Self.ask(martlet, "mail jo@example.org about my parcel")
            _ = try await Self.ask(martlet, "something else")

            let trace = try await martlet.verb("trace", id)
            #expect(trace.output.contains("mail [email] about my parcel"))
            #expect(trace.output.contains("└─ echo (model)  ok"))
            let found = try await martlet.verb("logs", "parcel", "-o", "jsonl")
            #expect(found.output.split(separator: "\n").count == 1)
            #expect(found.output.contains(id))

            let said = try await martlet.data.post("/v1/feedback", ["request_id": .string(id), "score": 0.5])
            #expect(said.status == 200, "\(said.text)")
            let added = try await martlet.verb(
                "feedback",
                "add",
                id,
                "--label",
                "good",
                "--comment",
                "to jo@example.org"
            )
            #expect(added.code == 0, "\(added.complaint)")
            let list = try await martlet.verb("feedback", "list", id)
            #expect(list.output.contains("score 0.5"))
            #expect(list.output.contains("\"to [email]\""))
            #expect(try await martlet.verb("feedback", "summary").output.contains("good 1"))
            #expect(try await martlet.verb("trace", "nobody-asked-this").code == 2)
            let metrics = try await martlet.metrics.get("/metrics").text
            #expect(metrics.contains("\nmartlet_records_written_total 2\n"))
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }
    }
}
