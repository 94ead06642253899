internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

@testable internal import Engines

/// A server that speaks OpenAI's API as a model.
@Suite(.timeLimit(.minutes(2)))
struct OpenAIUpstreamTests {
    static let finished = CompletionEvent.finished(.stop, TokenUsage(promptTokens: 5, completionTokens: 3))

    @Test func answersWhole() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(Upstreams.wholeAnswer)
        } _: { server in
            let model = try Upstreams.model([server.url], key: "sk-1234")
            var request = Upstreams.wholeHello
            request.sampling.temperature = 0
            request.sampling.seed = 7
            request.maxTokens = 9
            request.stop = ["\n"]
            let answer = await Upstreams.events(model, request)
            #expect(answer.failure == nil)
            #expect(answer.events == [.text("Good day.", logProbabilities: []), Self.finished])
            let asked = try #require(server.requests.first)
            #expect(asked.path == "/v1/chat/completions")
            #expect(asked.headers["authorization"] == "Bearer sk-1234")
            #expect(asked.headers["content-type"] == "application/json")
            #expect(
                asked.json == [
                    "model": "there", "messages": [["role": "user", "content": "Hello \"you\""]], "temperature": 0,
                    "seed": 7, "max_tokens": 9, "stop": ["\n"],
                ]
            )
        }
    }

    @Test func streamsPieceByPiece() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.beginEvents()
            try await connection.event(#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#)
            try await connection.event(#"{"choices":[{"index":0,"delta":{"content":"Good"},"finish_reason":null}]}"#)
            try await connection.send(": a comment\r\ndata: {\"choices\":[{\"delta\":")
            try await connection.send("{\"content\":\" däy\"}}]}\r\n\r\n")
            try await connection.event(#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#)
            try await connection.event(#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}"#)
            try await connection.event("[DONE]")
            try await connection.close()
        } _: { server in
            let answer = await Upstreams.events(try Upstreams.model([server.url]), Upstreams.hello)
            #expect(answer.failure == nil)
            #expect(
                answer.events == [
                    .text("Good", logProbabilities: []), .text(" däy", logProbabilities: []),
                    .finished(.length, TokenUsage(promptTokens: 5, completionTokens: 3)),
                ]
            )
            let asked = try #require(server.requests.first)
            #expect(asked.json["stream"] == true)
            #expect(asked.json["stream_options"] == ["include_usage": true])
        }
    }

    @Test func takesAWholeAnswerWhereAStreamWasAskedFor() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(Upstreams.wholeAnswer)
        } _: { server in
            let answer = await Upstreams.events(try Upstreams.model([server.url]), Upstreams.hello)
            #expect(answer.events == [.text("Good day.", logProbabilities: []), Self.finished])
        }
    }

    @Test func continuesPlainText() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(
                #"{"choices":[{"text":" time","index":0,"finish_reason":"stop","logprobs":{"tokens":[" time"],"#
                    + #""token_logprobs":[-0.5],"top_logprobs":[{" time":-0.5," day":-2}],"text_offset":[0]}}]}"#
            )
        } _: { server in
            var request = CompletionRequest(prompt: .text("Once upon a"), topLogProbabilities: 2)
            request.streams = false
            let answer = await Upstreams.events(try Upstreams.model([server.url]), request)
            let event = try #require(answer.events.first)
            guard case .text(" time", let tokens) = event else { Issue.record("\(event)"); return }
            #expect(tokens.map(\.logProbability) == [-0.5])
            #expect(tokens.first?.alternatives.map(\.text) == [" time", " day"])
            let asked = try #require(server.requests.first)
            #expect(asked.path == "/v1/completions")
            #expect(asked.json == ["model": "there", "prompt": "Once upon a", "logprobs": 2])
        }
    }

    @Test func givesLogProbabilitiesOfAChat() async throws {
        let token = #"{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[]}"#
        try await ScriptedUpstream.run { request, connection in
            let logProbabilities = request.json["top_logprobs"] == 3 ? "{\"content\":[\(token)]}" : "null"
            try await connection.answer(
                "{\"choices\":[{\"message\":{\"content\":\"Hi\"},\"logprobs\":\(logProbabilities),"
                    + "\"finish_reason\":\"stop\"}]}"
            )
        } _: { server in
            let model = try Upstreams.model([server.url])
            var request = Upstreams.wholeHello
            request.topLogProbabilities = 3
            let answer = await Upstreams.events(model, request)
            let expected = TokenLogProbability(text: "Hi", bytes: [72, 105], logProbability: -0.25, alternatives: [])
            #expect(answer.events.first == .text("Hi", logProbabilities: [expected]))
            // One that is asked for them and has none is not believed to have obeyed.
            request.topLogProbabilities = 2
            let refused = await Upstreams.events(model, request)
            #expect(refused.failure?.kind == .rejected)
            #expect(refused.failure?.parameter == "logprobs")
        }
    }

    @Test func callsFunctions() async throws {
        try await ScriptedUpstream.run { request, connection in
            let function = #""function":{"name":"look","arguments":"{\"a\":"}"#
            guard request.json["stream"] == true else {
                return try await connection.answer(
                    "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\(function)}]},"
                        + "\"finish_reason\":\"tool_calls\"}]}"
                )
            }
            try await connection.beginEvents()
            try await connection.event(
                "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\(function)}]}}]}"
            )
            try await connection.event(
                #"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}"#
            )
            try await connection.event(#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#)
            try await connection.close()
        } _: { server in
            let model = try Upstreams.model([server.url])
            let earlier = ToolCall(id: "c0", name: "look", arguments: "{}")
            var request = Upstreams.wholeHello
            request.prompt = .chat([
                ChatMessage(role: "assistant", content: "", toolCalls: [earlier]),
                ChatMessage(role: "tool", content: "7", toolCallID: "c0"),
            ])
            request.tools = ToolUse([ToolFunction(name: "look")], choice: .function("look"), allowsSeveral: false)
            request.format = .jsonSchema(.init(name: "s", schema: ["type": "object"], isStrict: true))
            request.sampling.logitBias = [5: -100]
            let opening = ToolCallPiece(index: 0, opening: .init(id: "c1", name: "look"), arguments: #"{"a":"#)
            let whole = await Upstreams.events(model, request)
            #expect(whole.events == [.toolCall(opening), .finished(.toolCalls, TokenUsage())])
            request.streams = true
            let streamed = await Upstreams.events(model, request)
            #expect(
                streamed.events == [
                    .toolCall(opening), .toolCall(ToolCallPiece(index: 0, arguments: "1}")),
                    .finished(.toolCalls, TokenUsage()),
                ]
            )
            let asked = try #require(server.requests.first?.json)
            let called: JSONValue = ["id": "c0", "type": "function", "function": ["name": "look", "arguments": "{}"]]
            #expect(
                asked["messages"] == [
                    ["role": "assistant", "content": "", "tool_calls": [called]],
                    ["role": "tool", "content": "7", "tool_call_id": "c0"],
                ]
            )
            #expect(
                asked["tools"] == [
                    ["type": "function", "function": ["name": "look", "parameters": ["type": "object"]]]
                ]
            )
            #expect(asked["tool_choice"] == ["type": "function", "function": ["name": "look"]])
            #expect(asked["parallel_tool_calls"] == false)
            #expect(asked["response_format"]?["json_schema"]?["strict"] == true)
            #expect(asked["logit_bias"] == ["5": -100])
        }
    }

    @Test func embeds() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(
                #"{"data":[{"index":1,"embedding":[0.5,1]},{"index":0,"embedding":[-1,0.25]}],"usage":{"prompt_tokens":4}}"#
            )
        } _: { server in
            let (vectors, usage) = try await Upstreams.model([server.url]).embed(["a", "b"])
            #expect(vectors == [[-1, 0.25], [0.5, 1]])
            #expect(usage.promptTokens == 4)
            let asked = try #require(server.requests.first)
            #expect(asked.path == "/v1/embeddings")
            #expect(asked.json == ["model": "there", "input": ["a", "b"], "encoding_format": "float"])
        }
    }

    @Test func refusesWhatNoServerIsAskedFor() async throws {
        let model = try Upstreams.model(["http://127.0.0.1:9/v1"])
        var request = Upstreams.hello
        request.adapters = ["formal"]
        await #expect(throws: MartletError.self) { try await model.answer(request) { _ in } }
    }

    @Test func namesNoSecretThatAKeyCannotBe() async throws {
        expectError("SecretMissing") { _ = try Upstreams.model(["http://127.0.0.1:9/v1"], key: "sk\r\nx-admin: 1") }
        let engine = UpstreamEngine(.openAI) { _ in throw MartletError("SecretExposed", "chmod 600 it") }
        let member = UpstreamSet.Member(url: "http://h", model: "m", apiKey: SecretReference(fromFile: "key"))
        expectError("SecretExposed") {
            _ = try engine.open(ModelOpening(file: "", upstreams: UpstreamSet(members: [member])))
        }
    }
}
