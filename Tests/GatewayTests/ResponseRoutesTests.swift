import HTTPTypes
import Planning
import Schema
import Serving
import Testing

@testable import Gateway

@Suite("Responses")
struct ResponseRoutesTests {
    static let path = "/v1/responses"
    static let hello = #"{"model": "desk", "input": "Hi"}"#

    @Test("A whole response has OpenAI's shape and says what answered")
    func whole() async throws {
        let reply = try await ask(FakeEndpoints(), Self.path, Self.hello)
        #expect(reply.status == 200)
        let text: JSONValue = ["type": "output_text", "text": "Hello there", "annotations": [], "logprobs": []]
        #expect(
            reply.json?["output"] == [
                [
                    "id": "msg_id3", "type": "message", "role": "assistant", "status": "completed",
                    "content": .array([text]),
                ]
            ]
        )
        let expected: [String: JSONValue] = [
            "id": "resp_id2", "object": "response", "created_at": 1_750_000_000, "model": "desk",
            "status": "completed", "error": nil, "incomplete_details": nil, "store": false,
            "usage": [
                "input_tokens": 7, "input_tokens_details": ["cached_tokens": 0], "output_tokens": 2,
                "output_tokens_details": ["reasoning_tokens": 0], "total_tokens": 9,
            ],
        ]
        for (name, value) in expected { #expect(reply.json?[name] == value, "\(name)") }
        #expect(reply.header("x-martlet-revision") == FakeEndpoints.revision.description)
    }

    @Test("A stream tells every step, numbered, and ends with the whole response")
    func stream() async throws {
        let body = #"{"model": "desk", "input": "Hi", "stream": true}"#
        let reply = try await ask(ChatToolTests.endpoints(), Self.path, body)
        let events = try reply.events.map { try JSONValue(parsing: $0) }
        #expect(
            events.compactMap { $0["type"]?.string?.replacing("response.", with: "") } == [
                "created", "in_progress",
                "output_item.added", "content_part.added", "output_text.delta", "output_text.done",
                "content_part.done", "output_item.done",
                "output_item.added", "function_call_arguments.delta", "function_call_arguments.delta",
                "function_call_arguments.done", "output_item.done",
                "output_item.added", "function_call_arguments.delta", "function_call_arguments.done",
                "output_item.done", "completed",
            ]
        )
        #expect(events.compactMap { $0["sequence_number"] } == (0..<Int64(events.count)).map { JSONValue.integer($0) })
        #expect(events[11]["arguments"] == #"{"id": 7}"#)
        #expect(events[8]["output_index"] == 1)
        #expect(reply.text.hasPrefix("event: response.created\ndata: "))
        let output = events.last?["response"]?["output"]?.array ?? []
        #expect(output.map { $0["type"] } == ["message", "function_call", "function_call"])
        #expect(output[1]["call_id"] == "c1")
        let whole = try await ask(ChatToolTests.endpoints(), Self.path, Self.hello)
        #expect(whole.json == events.last?["response"])
    }

    @Test("An answer that a limit cut off is incomplete", arguments: [true, false])
    func incomplete(streams: Bool) async throws {
        let service = FakeEndpoints(text: { _ in FakeEndpoints.stream(["a"], reason: .length) })
        let reply = try await ask(service, Self.path, #"{"model": "desk", "input": "Hi", "stream": \#(streams)}"#)
        let last = try streams ? reply.events.last.map { try JSONValue(parsing: $0) } : nil
        let response = streams ? last?["response"] : reply.json
        #expect(response?["status"] == "incomplete")
        #expect(response?["incomplete_details"] == ["reason": "max_output_tokens"])
        #expect(response?["output"]?.array?.first?["status"] == "incomplete")
        if streams { #expect(last?["type"] == "response.incomplete") }
    }

    @Test("A failure after the first byte is told as an event, and the response failed")
    func failure() async throws {
        let error = CallError(.failed, "The model fell over.")
        let service = FakeEndpoints(text: { _ in FakeEndpoints.stream(["a"], error: error) })
        let reply = try await ask(service, Self.path, #"{"model": "desk", "input": "Hi", "stream": true}"#)
        let events = try reply.events.suffix(2).map { try JSONValue(parsing: $0) }
        #expect(events[0]["type"] == "error")
        #expect(events[0]["message"] == "The model fell over.")
        #expect(events[1]["response"]?["status"] == "failed")
    }

    @Test("Every parameter reaches the endpoint")
    func parameters() async throws {
        let service = FakeEndpoints()
        let body = """
            {"model": "desk", "instructions": "Be kind.", "temperature": 0.5, "top_p": 0.9, "max_output_tokens": 12,
             "tools": [{"type": "function", "name": "order", "parameters": {"type": "object"}, "strict": true}],
             "tool_choice": {"type": "function", "name": "order"}, "parallel_tool_calls": false, "store": false,
             "text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "null"}, "strict": true}},
             "include": ["message.output_text.logprobs"], "top_logprobs": 2,
             "input": [
               {"role": "developer", "content": "Be brief."},
               {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
               {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": "Let me see.", "annotations": [], "logprobs": []}]},
               {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "order", "arguments": "{}"},
               {"type": "function_call_output", "call_id": "c1", "output": "soon"}]}
            """
        let reply = try await ask(service, Self.path, body)
        #expect(reply.status == 200, "\(reply.text)")
        var expected = TextRequest(
            prompt: .chat([
                ChatMessage(role: "system", content: "Be kind."), ChatMessage(role: "system", content: "Be brief."),
                ChatMessage(role: "user", content: "Hi"),
                ChatMessage(
                    role: "assistant",
                    content: "Let me see.",
                    toolCalls: [ToolCall(id: "c1", name: "order", arguments: "{}")]
                ),
                ChatMessage(role: "tool", content: "soon", toolCallID: "c1"),
            ])
        )
        expected.temperature = 0.5
        expected.topP = 0.9
        expected.maxTokens = 12
        expected.maxTokensName = "max_output_tokens"
        expected.topLogProbabilities = 2
        expected.tools = ToolUse(
            [ToolFunction(name: "order", isStrict: true)],
            choice: .function("order"),
            allowsSeveral: false
        )
        expected.format = .jsonSchema(.init(name: "a", schema: ["type": "null"], isStrict: true))
        #expect(service.textCalls.first?.body == expected)
    }

    @Test(
        "What is not supported or wrong is named",
        arguments: [
            (#""input": "Hi", "previous_response_id": "resp_1""#, "previous_response_id", "unsupported_parameter"),
            (#""input": "Hi", "store": true"#, "store", "unsupported_parameter"),
            (#""input": "Hi", "background": true"#, "background", "unsupported_parameter"),
            (#""input": "Hi", "tools": [{"type": "web_search"}]"#, "tools[0].type", "unsupported_parameter"),
            (#""input": "Hi", "stop": ["a"]"#, "stop", "unsupported_parameter"),
            (#""input": "Hi", "top_logprobs": 2"#, "top_logprobs", "invalid_value"),
            (#""input": "Hi", "include": ["reasoning.encrypted_content"]"#, "include", "unsupported_parameter"),
            (#""input": "Hi", "text": {"verbosity": "low"}"#, "text.verbosity", "unsupported_parameter"),
            (#""input": []"#, "input", "invalid_value"),
            (#""input": [{"type": "item_reference", "id": "x"}]"#, "input[0].type", "unsupported_parameter"),
            (
                #""input": [{"role": "user", "content": [{"type": "input_image"}]}]"#, "input[0].content[0].type",
                "unsupported_parameter"
            ),
            (
                #""input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]"#, "input[0].call_id",
                "invalid_value"
            ),
            (#""instructions": "x""#, "input", "missing_required_parameter"),
        ]
    )
    func refused(members: String, parameter: String, code: String) async throws {
        let service = FakeEndpoints()
        let reply = try await ask(service, Self.path, #"{"model": "desk", \#(members)}"#)
        #expect(reply.status == 400)
        #expect(reply.param == parameter)
        #expect(reply.code == code)
        #expect(service.textCalls.isEmpty)
    }

    @Test(
        "Errors of a call name what this route calls it",
        arguments: [
            (CallError(.promptTooLong, "9 tokens, 8 fit"), "input"),
            (CallError(.unsupportedParameter, "no", parameter: "response_format"), "text.format"),
            (CallError(.unsupportedParameter, "no", parameter: "tools[0].function.parameters"), "tools[0].parameters"),
        ]
    )
    func names(error: CallError, parameter: String) async throws {
        let service = FakeEndpoints(text: { _ in throw error })
        let reply = try await ask(service, Self.path, Self.hello)
        #expect(reply.status == 400)
        #expect(reply.param == parameter)
    }
}
