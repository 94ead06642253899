import Schema
import Serving
import Testing

@testable import Gateway

@Suite("What chat completions refuse")
struct ChatRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var members: String
        var param: String?
        var code: String
        var mentions: String

        init(_ members: String, _ param: String?, _ code: String, _ mentions: String = "") {
            (self.members, self.param, self.code, self.mentions) = (members, param, code, mentions)
        }

        var testDescription: String { self.members }
    }

    @Test("A name that is very long is not sent back in full")
    func longName() async throws {
        let name = String(repeating: "x", count: 100_000)
        let reply = try await ask(
            FakeEndpoints(),
            ChatRoutesTests.path,
            #"{"model": "\#(name)", \#(Self.messages)}"#
        )
        #expect(reply.status == 404)
        #expect(reply.code == "model_not_found")
        #expect(reply.message.contains("xxx…") && reply.message.count < 300)
    }

    static let messages = #""messages": [{"role": "user", "content": "Hi"}]"#

    @Test(
        "Parameters that are wrong, unknown or not supported are named",
        arguments: [
            Case(#""temperature": "hot""#, "temperature", "invalid_type", "number"),
            Case(#""temperature": 2.5"#, "temperature", "invalid_value", "2.0"),
            Case(#""top_p": -0.1"#, "top_p", "invalid_value"),
            Case(#""n": 9"#, "n", "invalid_value", "8"),
            Case(#""n": 1.5"#, "n", "invalid_type"),
            Case(#""stop": ["a","b","c","d","e"]"#, "stop", "invalid_value", "4"),
            Case(#""stop": [1]"#, "stop[0]", "invalid_type"),
            Case(#""max_tokens": 0"#, "max_tokens", "invalid_value", "1"),
            Case(#""max_tokens": 5, "max_completion_tokens": 6"#, "max_tokens", "invalid_value"),
            Case(#""presence_penalty": 3"#, "presence_penalty", "invalid_value"),
            Case(#""top_logprobs": 3"#, "top_logprobs", "invalid_value", "logprobs"),
            Case(#""logprobs": true, "top_logprobs": 21"#, "top_logprobs", "invalid_value"),
            Case(#""stream": "yes""#, "stream", "invalid_type"),
            Case(#""stream_options": {"include_usage": true}"#, "stream_options", "invalid_value"),
            Case(
                #""stream": true, "stream_options": {"usage": true}"#,
                "stream_options.usage",
                "unsupported_parameter"
            ),
            Case(#""tools": [{"type": "function"}]"#, "tools[0].function", "missing_required_parameter"),
            Case(#""tools": [{"type": "web_search"}]"#, "tools[0].type", "unsupported_parameter", "web_search"),
            Case(
                #""tools": [{"type": "function", "function": {"name": "a b"}}]"#,
                "tools[0].function.name",
                "invalid_value"
            ),
            Case(
                #""tools": [{"type": "function", "function": {"name": "a", "parameters": 1}}]"#,
                "tools[0].function.parameters",
                "invalid_type"
            ),
            Case(
                #""tools": [{"type":"function","function":{"name":"a"}}, {"type":"function","function":{"name":"a"}}]"#,
                "tools[1]",
                "invalid_value",
                "Two"
            ),
            Case(
                #""tools": [{"type": "function", "function": {"name": "a", "paramters": {}}}]"#,
                "tools[0].function.paramters",
                "unsupported_parameter",
                "parameters"
            ),
            Case(#""tool_choice": "auto""#, "tool_choice", "invalid_value", "tools"),
            Case(
                #""tools": [{"type": "function", "function": {"name": "a"}}], "tool_choice": "any""#,
                "tool_choice",
                "invalid_value",
                "required"
            ),
            Case(
                #""tools": [{"type": "function", "function": {"name": "a"}}], "#
                    + #""tool_choice": {"type": "function", "function": {"name": "b"}}"#,
                "tool_choice.function.name",
                "invalid_value",
                "'b'"
            ),
            Case(#""parallel_tool_calls": true"#, "parallel_tool_calls", "invalid_value", "tools"),
            Case(
                #""response_format": {"type": "xml"}"#,
                "response_format.type",
                "unsupported_parameter",
                "json_schema"
            ),
            Case(
                #""response_format": {"type": "json_schema", "json_schema": {"name": "a"}}"#,
                "response_format.json_schema.schema",
                "missing_required_parameter"
            ),
            Case(#""logit_bias": {"1": 200}"#, "logit_bias.1", "invalid_value", "100"),
            Case(#""logit_bias": {"x": 2}"#, "logit_bias", "invalid_value", "token"),
            Case(#""modalities": ["audio"]"#, "modalities", "unsupported_parameter"),
            Case(#""audio": {}"#, "audio", "unsupported_parameter"),
            Case(#""user": 5"#, "user", "invalid_type", "string"),
            Case(#""metadata": "x""#, "metadata", "invalid_type", "object"),
            Case(#""metadata": {"a": 1}"#, "metadata.a", "invalid_type", "string"),
            Case(#""store": true"#, "store", "unsupported_parameter"),
            Case(#""temprature": 1"#, "temprature", "unsupported_parameter", "temperature"),
            Case(#""top_k": 5"#, "top_k", "unsupported_parameter", "top_p"),
        ]
    )
    func parameter(refused: Case) async throws {
        let service = FakeEndpoints()
        let reply = try await ask(
            service,
            ChatRoutesTests.path,
            #"{"model": "desk", \#(Self.messages), \#(refused.members)}"#
        )
        #expect(reply.status == 400)
        #expect(reply.code == refused.code)
        #expect(reply.param == refused.param)
        #expect(reply.message.contains(refused.mentions), "\(reply.message)")
        #expect(reply.json?["error"]?["type"] == "invalid_request_error")
        #expect(service.textCalls.isEmpty)
    }

    @Test(
        "Bodies and messages that are wrong are named",
        arguments: [
            Case("", nil, "invalid_json"),
            Case("{", nil, "invalid_json"),
            Case("[]", nil, "invalid_type"),
            Case(#"{"messages": []}"#, "messages", "invalid_value"),
            Case(#"{"model": "desk"}"#, "messages", "missing_required_parameter"),
            Case(#"{"messages": [{"role": "user", "content": "Hi"}]}"#, "model", "missing_required_parameter"),
            Case(#"{"messages": "Hi"}"#, "messages", "invalid_type"),
            Case(#"{"messages": ["Hi"]}"#, "messages[0]", "invalid_type"),
            Case(#"{"messages": [{"content": "Hi"}]}"#, "messages[0].role", "missing_required_parameter"),
            Case(#"{"messages": [{"role": "usr", "content": "Hi"}]}"#, "messages[0].role", "invalid_value", "'user'"),
            Case(
                #"{"messages": [{"role": "tool", "content": "x"}]}"#,
                "messages[0].tool_call_id",
                "missing_required_parameter"
            ),
            Case(
                #"{"messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]}"#,
                "messages[0].tool_call_id",
                "invalid_value",
                "no call"
            ),
            Case(
                #"{"messages": [{"role": "assistant", "tool_calls": "#
                    + #"[{"id": "c", "type": "function", "function": {"name": "f", "arguments": "1"}}]}]}"#,
                "messages[0].tool_calls[0].function.arguments",
                "invalid_value",
                "object"
            ),
            Case(#"{"messages": [{"role": "assistant"}]}"#, "messages[0].content", "missing_required_parameter"),
            Case(#"{"messages": [{"role": "function", "content": "x"}]}"#, "messages[0].role", "unsupported_parameter"),
            Case(
                #"{"messages": [{"role": "user", "content": null}]}"#,
                "messages[0].content",
                "missing_required_parameter"
            ),
            Case(
                #"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}"#,
                "messages[0].content[0].type",
                "unsupported_parameter",
                "image_url"
            ),
            Case(
                #"{"messages": [{"role": "user", "content": "a", "name": "b"}]}"#,
                "messages[0].name",
                "unsupported_parameter"
            ),
        ]
    )
    func body(refused: Case) async throws {
        let reply = try await ask(FakeEndpoints(), ChatRoutesTests.path, refused.members)
        #expect(reply.status == 400)
        #expect(reply.code == refused.code)
        #expect(reply.param == refused.param)
        #expect(reply.message.contains(refused.mentions), "\(reply.message)")
    }

    @Test(
        "Names that lead nowhere are one and the same 404",
        arguments: ["dusk", "other/desk", "a/b/c", "/", "shop.desk"]
    )
    func unknownModel(model: String) async throws {
        let reply = try await ask(
            FakeEndpoints(),
            ChatRoutesTests.path,
            #"{"model": "\#(model)", \#(Self.messages)}"#
        )
        #expect(reply.status == 404)
        #expect(reply.code == "model_not_found")
        #expect(reply.param == "model")
    }

    @Test(
        "A body over the gateway's or the endpoint's limit is 413",
        arguments: [(100, 1 << 20), (1 << 20, Int64(100))]
    )
    func bodyLimit(gateway: Int, endpoint: Int64) async throws {
        let long = String(repeating: "a", count: 200)
        let reply = try await ask(
            FakeEndpoints(maxBodyBytes: endpoint),
            ChatRoutesTests.path,
            #"{"model": "desk", "messages": [{"role": "user", "content": "\#(long)"}]}"#,
            maxBodyBytes: gateway
        )
        #expect(reply.status == 413)
        #expect(reply.code == "request_too_large")
        #expect(reply.message.contains("100"))
    }

    @Test(
        "Every failure of a call has its status",
        arguments: [
            (CallError.Code.endpointNotFound, 404, "model_not_found", nil),
            (.invalidInput, 400, "invalid_value", nil),
            (.unsupportedParameter, 400, "unsupported_parameter", nil),
            (.promptTooLong, 400, "context_length_exceeded", nil), (.guardRefused, 400, "guard_refused", nil),
            (.queueFull, 429, "rate_limit_exceeded", "1"),
            (.rateLimited, 429, "rate_limit_exceeded", "1"),
            (.quotaExceeded, 429, "insufficient_quota", nil),
            (.unavailable, 503, "unavailable", "1"),
            (.queueTimeout, 503, "queue_timeout", "1"),
            (.interrupted, 503, "interrupted", "1"),
            (.timeout, 504, "timeout", nil),
            (.failed, 500, "internal_error", nil),
        ] as [(CallError.Code, Int, String, String?)]
    )
    func callError(failure: CallError.Code, status: Int, code: String, retryAfter: String?) async throws {
        let service = FakeEndpoints(text: { _ in throw CallError(failure, "So many words.") })
        let reply = try await ask(service, ChatRoutesTests.path, ChatRoutesTests.hello)
        #expect(reply.status == status)
        #expect(reply.code == code)
        #expect(reply.message == "So many words.")
        #expect(reply.header("retry-after") == retryAfter)
        #expect(reply.header("x-request-id") == "id1")
        if failure == .promptTooLong { #expect(reply.param == "messages") }
    }

    @Test("What an endpoint says about waiting reaches the caller")
    func retryAfter() async throws {
        let service = FakeEndpoints(text: { _ in throw CallError(.unavailable, "Loading.", retryAfter: 12) })
        let reply = try await ask(service, ChatRoutesTests.path, ChatRoutesTests.hello)
        #expect(reply.header("retry-after") == "12")
    }

    @Test("Errors that are not meant for callers stay inside")
    func innerError() async throws {
        let service = FakeEndpoints(text: { _ in throw MartletError("Secret", "the path is /secret") })
        let reply = try await ask(service, ChatRoutesTests.path, ChatRoutesTests.hello)
        #expect(reply.status == 500)
        #expect(!reply.text.contains("secret"))
    }
}
