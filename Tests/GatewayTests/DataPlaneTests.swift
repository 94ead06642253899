import HTTPTypes
import HummingbirdTesting
import Logging
import Planning
import Schema
import Serving
import Testing

@testable import Gateway

@Suite("Data plane")
struct DataPlaneTests {
    @Test("Models are listed by the names that callers use")
    func models() async throws {
        let reply = try await ask(FakeEndpoints(), "/v1/models", method: .get)
        let model: JSONValue = ["object": "model", "created": 1_700_000_000, "id": "desk", "owned_by": "default"]
        let shop: JSONValue = ["object": "model", "created": 1_700_000_000, "id": "shop/desk", "owned_by": "shop"]
        #expect(reply.json == ["object": "list", "data": [model, shop]])
    }

    @Test(
        "One model is found by every spelling of its name",
        arguments: [
            ("desk", "desk"), ("shop.desk", "shop/desk"), ("shop%2Fdesk", "shop/desk"), ("shop/desk", "shop/desk"),
            ("default.desk", "desk"),
        ]
    )
    func model(path: String, id: String) async throws {
        let reply = try await ask(FakeEndpoints(), "/v1/models/\(path)", method: .get)
        #expect(reply.json?["id"]?.string == id)
        #expect(reply.header("x-martlet-revision") == FakeEndpoints.revision.description)
    }

    @Test("A model that does not exist is a 404 in OpenAI's form")
    func unknownModel() async throws {
        let reply = try await ask(FakeEndpoints(), "/v1/models/dusk", method: .get)
        #expect(reply.status == 404)
        #expect(reply.code == "model_not_found")
        #expect(reply.text.contains("GET /v1/models lists"))
    }

    @Test("An address that cannot be had is named, with the reason")
    func cannotListen() async {
        // TEST-NET-1 of RFC 5737: no machine has it.
        let server = GatewayServers(logger: Logger(label: "test")).dataPlane(
            makeDataPlane(FakeEndpoints()),
            at: .tcp(host: "192.0.2.1", port: 0)
        )
        let error = await #expect(throws: MartletError.self) { try await server.run() }
        #expect(error?.code == "CannotListen")
        #expect(error?.message.hasPrefix("cannot listen on 192.0.2.1:0: Cannot assign requested address") == true)
    }

    @Test(
        "An endpoint that nothing serves yet is worth asking again",
        arguments: [("/v1/models/idle", HTTPRequest.Method.get), ("/v1/chains/idle", .post)]
    )
    func notServing(path: String, method: HTTPRequest.Method) async throws {
        let reply = try await ask(FakeEndpoints(), path, method == .post ? "{}" : nil, method: method)
        #expect(reply.status == 503)
        #expect(reply.code == "unavailable")
        #expect(reply.header("retry-after") == "1")
    }

    @Test(
        "Wrong paths and methods are errors in OpenAI's form",
        arguments: [
            (HTTPRequest.Method.get, "/v1/chat/completions", 405, "method_not_allowed", "POST"),
            (.delete, "/v1/models", 405, "method_not_allowed", "GET, HEAD"),
            (.get, "/v1/chains/desk", 405, "method_not_allowed", "POST"),
            (.post, "/v3/none", 404, "not_found", nil),
            (.get, "/", 404, "not_found", nil),
        ] as [(HTTPRequest.Method, String, Int, String, String?)]
    )
    func wrongPaths(method: HTTPRequest.Method, path: String, status: Int, code: String, allow: String?) async throws {
        let reply = try await ask(FakeEndpoints(), path, method: method)
        #expect(reply.status == status)
        #expect(reply.code == code)
        #expect(reply.header("allow") == allow)
        #expect(reply.header("x-request-id") != nil)
    }

    @Test(
        "A caller's request id is used only when it is sane",
        arguments: [("abc-1", "abc-1"), ("has space", "id1"), (String(repeating: "x", count: 129), "id1")]
    )
    func requestID(given: String, used: String) async throws {
        let reply = try await ask(FakeEndpoints(), "/v1/models", method: .get, headers: [.init("x-request-id")!: given])
        #expect(reply.header("x-request-id") == used)
    }

    @Test("A connection answers one request after another")
    func keepAlive() async throws {
        try await makeApplication(makeDataPlane(FakeEndpoints())).test(.live) { client in
            for _ in 0..<3 {
                let reply = try await client.send(.post, ChatRoutesTests.path, ChatRoutesTests.hello)
                #expect(reply.status == 200)
            }
            let streamed = #"{"model": "desk", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}"#
            #expect(try await client.send(.post, ChatRoutesTests.path, streamed).events.last == "[DONE]")
            #expect(try await client.send(.get, "/v1/models").status == 200)
        }
    }

    @Test("Plain completions answer every prompt in order", arguments: [true, false])
    func completions(streams: Bool) async throws {
        let service = FakeEndpoints(text: { call in
            guard case .text(let prompt) = call.body.prompt else { throw CallError(.failed, "no text") }
            return FakeEndpoints.stream([prompt, "."], reason: .length)
        })
        let body = #"{"model": "desk", "prompt": ["a", "b"], "n": 2, "stream": \#(streams)}"#
        let reply = try await ask(service, "/v1/completions", body)
        if streams {
            var texts: [Int64: String] = [:]
            for chunk in try reply.events.dropLast().map({ try JSONValue(parsing: $0) }) {
                #expect(chunk["object"] == "text_completion")
                guard case .integer(let index) = chunk["choices"]?.array?.first?["index"] else { continue }
                texts[index, default: ""] += chunk["choices"]?.array?.first?["text"]?.string ?? ""
            }
            #expect(texts == [0: "a.", 1: "a.", 2: "b.", 3: "b."])
        } else {
            let choices = reply.json?["choices"]?.array ?? []
            #expect(choices.map { $0["text"] } == ["a.", "a.", "b.", "b."])
            #expect(choices.allSatisfy { $0["finish_reason"] == "length" })
            #expect(reply.json?["usage"]?["prompt_tokens"] == 14)
            #expect(reply.json?["usage"]?["completion_tokens"] == 8)
        }
    }

    @Test("Log-probabilities of plain completions are four arrays")
    func completionLogProbabilities() async throws {
        let service = FakeEndpoints(text: { _ in FakeEndpoints.stream(["ab", "c"], logProbabilities: true) })
        let reply = try await ask(service, "/v1/completions", #"{"model": "desk", "prompt": "x", "logprobs": 2}"#)
        #expect(
            reply.json?["choices"]?.array?.first?["logprobs"] == [
                "tokens": ["ab", "c"],
                "token_logprobs": [-0.5, -0.5],
                "top_logprobs": [["ab": -0.5, "x": -9999.0], ["c": -0.5, "x": -9999.0]],
                "text_offset": [0, 2],
            ]
        )
    }

    @Test(
        "Plain completions refuse what they cannot do",
        arguments: [
            (#""prompt": [1, 2]"#, "prompt", "unsupported_parameter"),
            (#""prompt": "x", "echo": true"#, "echo", "unsupported_parameter"),
            (#""prompt": "x", "best_of": 2"#, "best_of", "unsupported_parameter"),
            (#""prompt": "x", "suffix": "y""#, "suffix", "unsupported_parameter"),
            (#""prompt": "x", "logprobs": 6"#, "logprobs", "invalid_value"),
            (#""prompt": []"#, "prompt", "invalid_value"),
            (#""n": 1"#, "prompt", "missing_required_parameter"),
        ]
    )
    func completionRefusals(members: String, param: String, code: String) async throws {
        let reply = try await ask(FakeEndpoints(), "/v1/completions", #"{"model": "desk", \#(members)}"#)
        #expect(reply.status == 400)
        #expect(reply.param == param)
        #expect(reply.code == code)
    }

    @Test("Embeddings come as numbers or as base64 of the same floats")
    func embeddings() async throws {
        let numbers = try await ask(FakeEndpoints(), "/v1/embeddings", #"{"model": "desk", "input": ["a", "b"]}"#)
        #expect(numbers.json?["data"]?.array?.map { $0["embedding"] } == [[1.0, 0.5, -2.0], [1.0, 0.5, -2.0]])
        #expect(numbers.json?["usage"] == ["prompt_tokens": 8, "total_tokens": 8])
        let coded = try await ask(
            FakeEndpoints(),
            "/v1/embeddings",
            #"{"model": "desk", "input": "a", "encoding_format": "base64", "dimensions": 3}"#
        )
        #expect(coded.json?["data"]?.array?.first?["embedding"] == "AACAPwAAAD8AAADA")
        #expect(coded.header("x-martlet-commit") == FakeEndpoints.commit)
    }

    @Test(
        "Embeddings refuse what they cannot do",
        arguments: [
            (#""input": [[1, 2]]"#, "input", "unsupported_parameter"),
            (#""input": """#, "input", "invalid_value"),
            (#""input": "a", "dimensions": 2"#, "dimensions", "unsupported_parameter"),
            (#""input": "a", "encoding_format": "hex""#, "encoding_format", "invalid_value"),
            (#""input": "a", "stream": true"#, "stream", "unsupported_parameter"),
        ]
    )
    func embeddingRefusals(members: String, param: String, code: String) async throws {
        let reply = try await ask(FakeEndpoints(), "/v1/embeddings", #"{"model": "desk", \#(members)}"#)
        #expect(reply.status == 400)
        #expect(reply.param == param)
        #expect(reply.code == code)
    }

    @Test("A vector that is no vector is the model's failure")
    func brokenEmbedding() async throws {
        let service = FakeEndpoints(embeddings: { _ in [[.nan]] })
        #expect(try await ask(service, "/v1/embeddings", #"{"model": "desk", "input": "a"}"#).status == 500)
    }

    @Test("A chain's output is the body, its tokens stand in headers")
    func chain() async throws {
        let service = FakeEndpoints(chain: { input in
            [
                .stepStarted("one"),
                .finished(output: ["got": input], usage: TokenUsage(promptTokens: 3, completionTokens: 4)),
            ]
        })
        let reply = try await ask(service, "/v1/chains/shop.desk", #"{"question": "why"}"#)
        #expect(reply.json == ["got": ["question": "why"]])
        #expect(reply.header("x-martlet-prompt-tokens") == "3")
        #expect(reply.header("x-martlet-completion-tokens") == "4")
        #expect(reply.header("x-martlet-revision") == FakeEndpoints.revision.description)
    }

    @Test("A streamed chain tells every step")
    func streamedChain() async throws {
        let service = FakeEndpoints(chain: { input in
            [
                .stepStarted("one"), .stepText("one", "a\nb"), .stepFinished("one", output: 1), .stepSkipped("two"),
                .guardFired("three", GuardRecord(place: "input", rule: "deny", action: "refuse", detail: "why")),
                .stepFailed("three", code: "Failed", message: "no"), .finished(output: input, usage: TokenUsage()),
            ]
        })
        let reply = try await ask(service, "/v1/chains/desk?stream=true", "{}")
        #expect(
            reply.text == """
                event: step.started
                data: {"step":"one"}

                event: step.text
                data: {"step":"one","text":"a\\nb"}

                event: step.finished
                data: {"output":1,"step":"one"}

                event: step.skipped
                data: {"step":"two"}

                event: step.guard
                data: {"action":"refuse","detail":"why","place":"input","rule":"deny","step":"three"}

                event: step.failed
                data: {"code":"Failed","message":"no","step":"three"}

                event: finished
                data: {"output":{},"usage":{"completion_tokens":0,"prompt_tokens":0,"total_tokens":0}}


                """
        )
    }

    @Test(
        "Chains refuse what they cannot read",
        arguments: [
            ("/v1/chains/desk", "{", 400, "invalid_json"),
            ("/v1/chains/dusk", "{}", 404, "model_not_found"),
            ("/v1/chains/desk?stream=maybe", "{}", 400, "invalid_value"),
            ("/v1/chains/desk?steam=true", "{}", 400, "unsupported_parameter"),
        ]
    )
    func chainRefusals(path: String, body: String, status: Int, code: String) async throws {
        let reply = try await ask(FakeEndpoints(), path, body)
        #expect(reply.status == status)
        #expect(reply.code == code)
    }

    @Test("A chain that ends without output is an error", arguments: [true, false])
    func brokenChain(streams: Bool) async throws {
        let reply = try await ask(FakeEndpoints(chain: { _ in [] }), "/v1/chains/desk?stream=\(streams)", "{}")
        #expect(reply.status == (streams ? 200 : 500))
        #expect(reply.text.contains("broke off"))
    }
}
