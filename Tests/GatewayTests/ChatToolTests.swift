import Planning
import Schema
import Serving
import Testing

@testable import Gateway

@Suite("Tools and output formats of chats")
struct ChatToolTests {
    static let calls: [CompletionEvent] = [
        .text("Let me see.", logProbabilities: []),
        .toolCall(ToolCallPiece(index: 0, opening: .init(id: "c1", name: "order"))),
        .toolCall(ToolCallPiece(index: 0, arguments: #"{"id""#)),
        .toolCall(ToolCallPiece(index: 0, arguments: ": 7}")),
        .toolCall(ToolCallPiece(index: 1, opening: .init(id: "c2", name: "stock"), arguments: "{}")),
        .finished(.toolCalls, TokenUsage(promptTokens: 7, completionTokens: 5)),
    ]

    static let tools = """
        "tools": [{"type": "function", "function": {"name": "order", "description": "Looks up.", "strict": true,
                   "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}}}},
                  {"type": "function", "function": {"name": "stock"}}]
        """

    static func endpoints(_ events: [CompletionEvent] = Self.calls) -> FakeEndpoints {
        FakeEndpoints(text: { _ in
            AsyncThrowingStream { continuation in
                for event in events { continuation.yield(event) }
                continuation.finish()
            }
        })
    }

    private static func ask(_ service: FakeEndpoints, _ members: String) async throws -> Reply {
        let messages = #""messages": [{"role": "user", "content": "Hi"}]"#
        return try await send(service, #"{"model": "desk", \#(messages), \#(members)}"#)
    }

    @Test("Calls stand in a whole answer")
    func whole() async throws {
        let reply = try await Self.ask(Self.endpoints(), Self.tools)
        let choice = reply.json?["choices"]?.array?.first
        #expect(choice?["finish_reason"] == "tool_calls")
        #expect(
            choice?["message"] == [
                "role": "assistant", "content": "Let me see.", "refusal": nil,
                "tool_calls": [
                    ["id": "c1", "type": "function", "function": ["name": "order", "arguments": #"{"id": 7}"#]],
                    ["id": "c2", "type": "function", "function": ["name": "stock", "arguments": "{}"]],
                ],
            ]
        )
    }

    @Test("An answer of calls alone has no content")
    func noContent() async throws {
        let reply = try await Self.ask(Self.endpoints(Array(Self.calls.dropFirst())), Self.tools)
        #expect(reply.json?["choices"]?.array?.first?["message"]?["content"] == .null)
    }

    @Test("Streamed calls come piece by piece, numbered, named once")
    func streamed() async throws {
        let reply = try await Self.ask(Self.endpoints(), Self.tools + #", "stream": true"#)
        let choices = try reply.events.dropLast().compactMap {
            try JSONValue(parsing: $0)["choices"]?.array?.first
        }
        let deltas = choices.compactMap { $0["delta"]?["tool_calls"]?.array?.first }
        #expect(
            deltas == [
                ["index": 0, "id": "c1", "type": "function", "function": ["name": "order", "arguments": ""]],
                ["index": 0, "function": ["arguments": #"{"id""#]],
                ["index": 0, "function": ["arguments": ": 7}"]],
                ["index": 1, "id": "c2", "type": "function", "function": ["name": "stock", "arguments": "{}"]],
            ]
        )
        #expect(choices.last?["finish_reason"] == "tool_calls")
    }

    @Test("What is offered and chosen reaches the endpoint")
    func offered() async throws {
        let service = Self.endpoints()
        let choice = #", "tool_choice": {"type": "function", "function": {"name": "order"}}, "#
        _ = try await Self.ask(service, Self.tools + choice + #""parallel_tool_calls": false, "logit_bias": {"5": -1}"#)
        let order = ToolFunction(
            name: "order",
            description: "Looks up.",
            parameters: ["type": "object", "properties": ["id": ["type": "integer"]]],
            isStrict: true
        )
        let tools = ToolUse([order, ToolFunction(name: "stock")], choice: .function("order"), allowsSeveral: false)
        #expect(service.textCalls.first?.body.tools == tools)
        #expect(service.textCalls.first?.body.logitBias == [5: -1])
    }

    @Test("Turns of tools reach the endpoint")
    func conversation() async throws {
        let service = Self.endpoints()
        let body = """
            {"model": "desk", "messages": [
              {"role": "user", "content": "Where is it?"},
              {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "order", "arguments": "{\\"id\\": 7}"}}]},
              {"role": "tool", "tool_call_id": "c1", "content": "On its way."}]}
            """
        #expect(try await send(service, body).status == 200)
        #expect(
            service.textCalls.first?.body.prompt
                == .chat([
                    ChatMessage(role: "user", content: "Where is it?"),
                    ChatMessage(
                        role: "assistant",
                        content: "",
                        toolCalls: [ToolCall(id: "c1", name: "order", arguments: #"{"id": 7}"#)]
                    ),
                    ChatMessage(role: "tool", content: "On its way.", toolCallID: "c1"),
                ])
        )
    }

    @Test(
        "Every output format reaches the endpoint",
        arguments: [
            (#"{"type": "text"}"#, .text),
            (#"{"type": "json_object"}"#, .jsonObject),
            (
                #"{"type": "json_schema", "json_schema": {"name": "a-b", "strict": true, "schema": {"type": "null"}}}"#,
                .jsonSchema(.init(name: "a-b", schema: ["type": "null"], isStrict: true))
            ),
        ] as [(String, OutputFormat)]
    )
    func format(text: String, format: OutputFormat) async throws {
        let service = Self.endpoints()
        _ = try await Self.ask(service, #""response_format": \#(text)"#)
        #expect(service.textCalls.first?.body.format == format)
    }
}

private func send(_ service: FakeEndpoints, _ body: String) async throws -> Reply {
    try await ask(service, ChatRoutesTests.path, body)
}
