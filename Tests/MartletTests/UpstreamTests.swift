internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Endpoints whose model is a server elsewhere.
    @Suite(.timeLimit(.minutes(5)))
    struct UpstreamTests {
        private static let key = "sk-elsewhere-1234"

        /// A repository with one endpoint over upstreams at these addresses.
        private static func repository(_ urls: [String]) throws -> TemporaryRepository {
            let repository = try TemporaryRepository()
            let upstreams = urls.map { "    - {url: \"\($0)\", model: there, apiKey: {fromFile: key}, retries: 0}\n" }
            try repository.write(
                "desk.yaml",
                """
                apiVersion: martlet.dev/v1
                kind: Model
                metadata: {name: elsewhere}
                spec:
                  engine: openai
                  upstreams:
                \(upstreams.joined())
                  warmUp: [{prompt: hello, maxTokens: 1}]
                ---
                apiVersion: martlet.dev/v1
                kind: Endpoint
                metadata: {name: desk}
                spec:
                  serve: {model: elsewhere}
                  access: {anonymous: true}
                """
            )
            try repository.commit("Serve from elsewhere")
            return repository
        }

        private static func serve(
            _ urls: [String],
            _ body: (RunningMartlet) async throws -> Void
        ) async throws {
            let secrets = try TemporaryFolder()
            let file = secrets.file("key")
            try Data("\(Self.key)\n".utf8).write(to: URL(filePath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            let repository = try Self.repository(urls)
            let martlet = try await RunningMartlet.started(
                repository.path,
                options: ["--secrets-dir", secrets.path]
            )
            try await martlet.waitForConvergence(of: repository.head())
            try await body(martlet)
            #expect(!martlet.log.contains(Self.key))
            await martlet.stop()
        }

        private static let answers: ScriptedUpstream.Script = { request, connection in
            guard request.json["stream"] == true else {
                return try await connection.answer(
                    #"{"choices":[{"index":0,"message":{"role":"assistant","content":"Good day."},"finish_reason":"stop"}],"#
                        + #""usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}"#
                )
            }
            try await connection.beginEvents()
            for piece in ["Good", " day."] {
                try await connection.event("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\(piece)\"}}]}")
            }
            try await connection.event(#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#)
            try await connection.event(#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}"#)
            try await connection.event("[DONE]")
            try await connection.close()
        }

        @Test func answersWholeAndStreamedAndFallsBack() async throws {
            try await ScriptedUpstream.run(Self.answers) { server in
                // Nobody listens on the port that a closed server had.
                let gone = try await ScriptedUpstream.run({ _, _ in }) { $0.url }
                try await Self.serve([gone, server.url]) { martlet in
                    let whole = try await martlet.data.chat("desk", "Hello", ["temperature": 0.5])
                    #expect(whole.content == "Good day.")
                    #expect(whole.json["usage"]?["total_tokens"] == 8)
                    #expect(whole.json["model"] == "desk")
                    #expect(whole.revision != nil)
                    let asked = try #require(server.requests.last { $0.method == "POST" })
                    #expect(asked.headers["authorization"] == "Bearer \(Self.key)")
                    #expect(
                        asked.json == [
                            "model": "there", "messages": [["role": "user", "content": "Hello"]], "temperature": 0.5,
                        ]
                    )
                    var text = ""
                    _ = try await martlet.data.stream("desk", "Hello") { chunk in
                        text += chunk["choices"]?.array?.first?["delta"]?["content"]?.string ?? ""
                    }
                    #expect(text == "Good day.")
                    // A probe finds out, whether or not a request was faster.
                    _ = try await martlet.waitForEvent("UpstreamCoolingDown", saying: gone)
                    let metrics = try await martlet.metrics.get("/metrics").text
                    let coolingDown = metrics.split(separator: "\n").filter {
                        $0.hasPrefix("martlet_upstream_cooling_down{") && $0.contains("default/elsewhere")
                    }
                    #expect(coolingDown.count == 2)
                    #expect(coolingDown.contains { $0.contains(gone) && $0.hasSuffix(" 1") })
                    #expect(coolingDown.contains { $0.contains(server.url) && $0.hasSuffix(" 0") })
                }
            }
        }

        @Test func tellsCallersWhatTheServerSaid() async throws {
            try await ScriptedUpstream.run { request, connection in
                switch request.json["seed"] {
                case 1: try await connection.answer(status: 400, #"{"error":{"message":"too odd","param":"seed"}}"#)
                case 2: try await connection.answer(status: 429, headers: ["retry-after": "7"], "{}")
                case 3: try await connection.answer(status: 401, "{\"error\":{\"message\":\"bad \(Self.key)\"}}")
                default: try await Self.answers(request, connection)
                }
            } _: { server in
                try await Self.serve([server.url]) { martlet in
                    let odd = try await martlet.data.chat("desk", "Hello", ["seed": 1])
                    #expect(odd.status == 400)
                    #expect(odd.json["error"]?["message"] == "too odd")
                    #expect(odd.json["error"]?["param"] == "seed")
                    let many = try await martlet.data.chat("desk", "Hello", ["seed": 2])
                    #expect(many.status == 429)
                    #expect(many.headers["retry-after"] == "7")
                    let refused = try await martlet.data.chat("desk", "Hello", ["seed": 3])
                    #expect(refused.status == 500)
                    #expect(!refused.text.contains(Self.key))
                }
            }
        }

        @Test func aCallerThatHangsUpEndsTheRequestThere() async throws {
            let (hangUps, hangUp) = AsyncStream<Void>.makeStream()
            try await ScriptedUpstream.run { request, connection in
                guard request.json["seed"] == 1 else { return try await Self.answers(request, connection) }
                try await connection.beginEvents()
                try await connection.event(#"{"choices":[{"delta":{"content":"Good"}}]}"#)
                await connection.waitForHangUp()
                hangUp.yield()
            } _: { server in
                try await Self.serve([server.url]) { martlet in
                    struct Left: Error {}
                    await #expect(throws: Left.self) {
                        _ = try await martlet.data.stream("desk", "Hello", ["seed": 1]) { chunk in
                            let text = chunk["choices"]?.array?.first?["delta"]?["content"]?.string
                            if text == "Good" { throw Left() }
                        }
                    }
                    for await _ in hangUps { break }
                }
            }
        }
    }
}
