import HTTPTypes
import Planning
import Schema
import Serving
import Testing

@testable import Gateway

@Suite("Chat completions")
struct ChatRoutesTests {
    static let path = "/v1/chat/completions"
    static let hello = #"{"model": "desk", "messages": [{"role": "user", "content": "Hi"}]}"#

    @Test("A whole answer has OpenAI's shape and says what answered")
    func whole() async throws {
        let reply = try await ask(FakeEndpoints(), Self.path, Self.hello)
        #expect(reply.status == 200)
        #expect(
            reply.json == [
                "id": "chatcmpl-id2", "object": "chat.completion", "created": 1_750_000_000, "model": "desk",
                "system_fingerprint": .string("fp_\(FakeEndpoints.revision)"),
                "choices": [
                    [
                        "index": 0, "finish_reason": "stop", "logprobs": nil,
                        "message": ["role": "assistant", "content": "Hello there", "refusal": nil],
                    ]
                ],
                "usage": ["prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9],
            ]
        )
        #expect(reply.header("x-martlet-revision") == FakeEndpoints.revision.description)
        #expect(reply.header("x-martlet-commit") == FakeEndpoints.commit)
        #expect(reply.header("x-martlet-replayed") == nil)
        #expect(reply.header("x-request-id") == "id1")
    }

    @Test("Callers learn how much of a prompt was computed before")
    func cachedTokens() async throws {
        let endpoints = FakeEndpoints(text: { _ in FakeEndpoints.stream(["Hello"], cachedTokens: 5) })
        let usage: JSONValue = [
            "prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8,
            "prompt_tokens_details": ["cached_tokens": 5],
        ]
        #expect(try await ask(endpoints, Self.path, Self.hello).json?["usage"] == usage)
        // Two choices of one prompt: it counts once.
        let twice = Self.hello.replacing("{\"model\"", with: "{\"n\": 2, \"model\"")
        let details = try await ask(endpoints, Self.path, twice).json?["usage"]?["prompt_tokens_details"]
        #expect(details == ["cached_tokens": 5])
        let response = try await ask(endpoints, "/v1/responses", #"{"model": "desk", "input": "Hi"}"#)
        #expect(response.json?["usage"]?["input_tokens_details"] == ["cached_tokens": 5])
    }

    @Test("A recording says that it is one")
    func replayed() async throws {
        let reply = try await ask(FakeEndpoints(replayed: true), Self.path, Self.hello)
        #expect(reply.header("x-martlet-replayed") == "true")
    }

    @Test("A stream has one chunk for the role, each text and the end")
    func stream() async throws {
        let body = #"{"model": "desk", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}"#
        let reply = try await ask(FakeEndpoints(text: { _ in FakeEndpoints.stream(["a\"", "\n"]) }), Self.path, body)
        let start =
            #"{"id":"chatcmpl-id2","object":"chat.completion.chunk","created":1750000000,"model":"desk","#
            + #""system_fingerprint":"fp_\#(FakeEndpoints.revision)","choices":[{"index":0,"delta":"#
        #expect(reply.header("content-type") == "text/event-stream; charset=utf-8")
        #expect(
            reply.events == [
                start + #"{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}"#,
                start + #"{"content":"a\""},"logprobs":null,"finish_reason":null}]}"#,
                start + #"{"content":"\n"},"logprobs":null,"finish_reason":null}]}"#,
                start + #"{},"logprobs":null,"finish_reason":"stop"}]}"#,
                "[DONE]",
            ]
        )
        #expect(reply.text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test("Usage comes in one last chunk without choices, and as null before")
    func streamedUsage() async throws {
        let body =
            #"{"model":"desk","stream":true,"stream_options":{"include_usage":true},"#
            + #""messages":[{"role":"user","content":"Hi"}]}"#
        let reply = try await ask(FakeEndpoints(), Self.path, body)
        let chunks = try reply.events.dropLast().map { try JSONValue(parsing: $0) }
        #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })
        #expect(chunks.last?["choices"] == [])
        #expect(chunks.last?["usage"] == ["prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9])
        #expect(Set(chunks.map { $0["id"] }).count == 1)
    }

    @Test("An error after the first byte is the stream's last event")
    func streamedError() async throws {
        let service = FakeEndpoints(text: { _ in
            FakeEndpoints.stream(["some"], error: CallError(.interrupted, "The replica is going away."))
        })
        let body = #"{"model": "desk", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}"#
        let reply = try await ask(service, Self.path, body)
        #expect(reply.status == 200)
        let last = try JSONValue(parsing: try #require(reply.events.last))
        #expect(last["error"]?["code"] == "interrupted")
        #expect(last["error"]?["message"] == "The replica is going away.")
        #expect(!reply.text.contains("[DONE]"))
    }

    @Test("An answer that breaks off without an end is an error", arguments: [true, false])
    func brokenOff(streams: Bool) async throws {
        let service = FakeEndpoints(text: { _ in AsyncThrowingStream { $0.finish() } })
        let body = #"{"model": "desk", "stream": \#(streams), "messages": [{"role": "user", "content": "Hi"}]}"#
        let reply = try await ask(service, Self.path, body)
        #expect(reply.status == (streams ? 200 : 500))
        #expect(reply.text.contains("broke off"))
    }

    @Test("Several choices are several calls with seeds of their own, and the prompt is counted once")
    func choices() async throws {
        let service = FakeEndpoints(text: { FakeEndpoints.stream(["seed \($0.body.seed ?? 0)"]) })
        let body = #"{"model": "desk", "n": 3, "seed": 5, "messages": [{"role": "user", "content": "Hi"}]}"#
        let reply = try await ask(service, Self.path, body)
        let choices = reply.json?["choices"]?.array ?? []
        #expect(choices.map { $0["index"] } == [0, 1, 2])
        #expect(choices.map { $0["message"]?["content"] } == ["seed 5", "seed 6", "seed 7"])
        #expect(reply.json?["usage"] == ["prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10])
    }

    @Test("Streamed choices keep their index and each ends once")
    func streamedChoices() async throws {
        let service = FakeEndpoints(text: { FakeEndpoints.stream(["\($0.body.seed ?? 0)", "!"]) })
        let body =
            #"{"model":"desk","n":4,"seed":0,"stream":true,"stream_options":{"include_usage":true},"#
            + #""messages":[{"role":"user","content":"Hi"}]}"#
        let reply = try await ask(service, Self.path, body)
        var texts: [Int64: String] = [:]
        var ends: [Int64] = []
        for chunk in try reply.events.dropLast(2).map({ try JSONValue(parsing: $0) }) {
            guard case .integer(let index) = chunk["choices"]?.array?.first?["index"] else { continue }
            texts[index, default: ""] += chunk["choices"]?.array?.first?["delta"]?["content"]?.string ?? ""
            if chunk["choices"]?.array?.first?["finish_reason"] != .null { ends.append(index) }
        }
        #expect(texts == [0: "0!", 1: "1!", 2: "2!", 3: "3!"])
        #expect(ends.sorted() == [0, 1, 2, 3])
        #expect(reply.events.last == "[DONE]")
    }

    @Test("Log-probabilities carry bytes and alternatives", arguments: [true, false])
    func logProbabilities(streams: Bool) async throws {
        let service = FakeEndpoints(text: { _ in FakeEndpoints.stream(["é"], logProbabilities: true) })
        let body =
            #"{"model":"desk","logprobs":true,"top_logprobs":2,"stream":\#(streams),"#
            + #""messages":[{"role":"user","content":"Hi"}]}"#
        let reply = try await ask(service, Self.path, body)
        let answer = streams ? try JSONValue(parsing: reply.events[1]) : reply.json
        let token: JSONValue = ["token": "é", "logprob": -0.5, "bytes": [195, 169]]
        #expect(
            answer?["choices"]?.array?.first?["logprobs"] == [
                "content": [
                    [
                        "token": "é", "logprob": -0.5, "bytes": [195, 169],
                        "top_logprobs": [token, ["token": "x", "logprob": -9999.0, "bytes": [120]]],
                    ]
                ],
                "refusal": nil,
            ]
        )
        #expect(service.textCalls.first?.body.topLogProbabilities == 2)
    }

    @Test("Every parameter reaches the endpoint")
    func parameters() async throws {
        let service = FakeEndpoints()
        let body = """
            {"model": "shop/desk", "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["a", "b"],
             "max_completion_tokens": 12, "frequency_penalty": -1, "presence_penalty": 2, "user": "u",
             "metadata": {"k": "v"}, "tools": null, "response_format": {"type": "text"}, "service_tier": "auto",
             "messages": [
               {"role": "developer", "content": "Be kind."},
               {"role": "user", "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]},
               {"role": "assistant", "content": "three", "refusal": null}
             ]}
            """
        let reply = try await ask(service, Self.path, body, headers: [.init("x-request-id")!: "mine"])
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.header("x-request-id") == "mine")
        let call = try #require(service.textCalls.first)
        #expect(call.endpoint == FakeEndpoints.shopDesk)
        #expect(call.requestID == "mine")
        var expected = TextRequest(
            prompt: .chat([
                ChatMessage(role: "system", content: "Be kind."),
                ChatMessage(role: "user", content: "one two"),
                ChatMessage(role: "assistant", content: "three"),
            ]),
            stop: ["a", "b"]
        )
        expected.temperature = 0.5
        expected.topP = 0.9
        expected.seed = 7
        expected.maxTokens = 12
        expected.maxTokensName = "max_completion_tokens"
        expected.frequencyPenalty = -1
        expected.presencePenalty = 2
        expected.streams = false
        #expect(call.body == expected)
    }
}
