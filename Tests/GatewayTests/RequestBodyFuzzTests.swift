import Planning
import Schema
import Serving
import TestSupport
import Testing

@testable import Gateway

/// Bodies that clients could send by mistake or on purpose, against what every door promises: a request or an error
/// that names a status of 400.
@Suite(.timeLimit(.minutes(60))) struct RequestBodyFuzzTests {
    /// A request with everything in it.
    private static let chat: JSONValue = [
        "model": "desk", "stream": true, "stream_options": ["include_usage": true], "n": 2, "temperature": 0.5,
        "top_p": 0.9, "seed": 7, "stop": ["a", "b"], "max_completion_tokens": 12, "logprobs": true, "top_logprobs": 2,
        "frequency_penalty": 1, "logit_bias": ["5": -1],
        "tool_choice": ["type": "function", "function": ["name": "f"]],
        "tools": [["type": "function", "function": ["name": "f", "parameters": ["type": "object"], "strict": true]]],
        "parallel_tool_calls": true,
        "response_format": ["type": "json_schema", "json_schema": ["name": "a", "schema": ["type": "null"]]],
        "messages": [
            ["role": "system", "content": "x"], ["role": "user", "content": [["type": "text", "text": "y"]]],
            [
                "role": "assistant",
                "tool_calls": [["id": "c", "type": "function", "function": ["name": "f", "arguments": "{}"]]],
            ],
            ["role": "tool", "tool_call_id": "c", "content": "z"],
        ],
    ]

    private static let response: JSONValue = [
        "model": "desk", "instructions": "x", "stream": false, "max_output_tokens": 5, "store": false,
        "include": ["message.output_text.logprobs"], "top_logprobs": 1, "tools": [["type": "function", "name": "f"]],
        "tool_choice": ["type": "function", "name": "f"], "text": ["format": ["type": "json_object"]],
        "input": [
            ["role": "user", "content": [["type": "input_text", "text": "y"]]],
            ["type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"],
            ["type": "function_call_output", "call_id": "c", "output": "z"],
        ],
    ]

    private static let completion: JSONValue = [
        "model": "deskhand", "prompt": ["a", "b"], "n": 2, "logprobs": 3, "max_tokens": 5, "temperature": 0,
        "stop": "x",
    ]

    private static let generation: JSONValue = [
        "id": "7", "text_input": "a", "parameters": ["max_tokens": 5, "stop": ["x"], "stream": true, "seed": 1],
    ]

    private static let embedding: JSONValue = [
        "model": "embeddings", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 4,
    ]

    /// Names of members, some of which belong to none.
    private static let names = ["type", "name", "role", "", "x", longName]
    private static let longName = String(repeating: "é", count: 600)

    private static let damage = ByteDamage(
        tokens: [
            "{", "}", "[", "]", "\"", ",", ":", "null", "true", "-1", "1e999", "0.5", "99999999999999999999", "\\ud800",
            "\u{0}", "é", "{\"type\":\"text\",\"text\":", "\"role\":\"tool\",", "\"content\":[", "\"tool_choice\":",
            String(repeating: "[", count: 200), "\"\(longName)\":1,", "\"\(longName)\":1,\"\(longName)\":1,",
        ]
    )

    @Test("the requests that are changed are right to begin with")
    func unchanged() throws {
        #expect(try TextCall(chat: Array(Self.chat.canonicalJSON.utf8)).choiceCount == 2)
        #expect(try ResponseCall(Array(Self.response.canonicalJSON.utf8)).request.tools?.functions.count == 1)
        #expect(try TextCall(completions: Array(Self.completion.canonicalJSON.utf8)).choiceCount == 4)
        #expect(try GenerateCall(Array(Self.generation.canonicalJSON.utf8), streams: true).request.seed == 1)
        #expect(try EmbeddingCall(Array(Self.embedding.canonicalJSON.utf8)).texts.count == 2)
    }

    @Test("a chat is read, or refused with its reason", arguments: FuzzInputs.parts(of: 1_000_000))
    func chats(inputs: FuzzInputs) throws {
        try self.change(Self.chat, inputs) { body in
            let call = try TextCall(chat: body)
            try #require((1...TextCall.maximumChoices).contains(call.choiceCount))
            for request in call.requests {
                guard case .chat(let messages) = request.prompt else { throw CancellationError() }
                let text = messages.reduce(0) { $0 + $1.content.utf8.count }
                try #require(!messages.isEmpty && text <= body.count)
                try #require(request.stop.count <= 4 && (request.maxTokens ?? 1) >= 1)
                try #require((0...2).contains(request.temperature ?? 0) && (0...1).contains(request.topP ?? 0))
            }
        }
    }

    @Test("so is every other request for text or vectors", arguments: FuzzInputs.parts(of: 200_000), 0..<4)
    func others(inputs: FuzzInputs, door: Int) throws {
        switch door {
        case 0: try self.change(Self.response, inputs) { _ = try ResponseCall($0) }
        case 1: try self.change(Self.completion, inputs) { _ = try TextCall(completions: $0) }
        case 2: try self.change(Self.generation, inputs) { _ = try GenerateCall($0, streams: true) }
        default: try self.change(Self.embedding, inputs) { _ = try EmbeddingCall($0) }
        }
    }

    /// Has bodies read that were a right one, with parts or bytes of it changed.
    private func change(_ request: JSONValue, _ inputs: FuzzInputs, _ read: ([UInt8]) throws -> Void) throws {
        try inputs.forEach { random in
            var body = Array((random.oneIn(8) ? request : self.changed(request, &random)).canonicalJSON.utf8)
            if random.oneIn(3) { body = Self.damage.damaged(body, &random) }
            do {
                try read(body)
            } catch let error as OpenAIError {
                try #require(error.status == 400, "\(error)")
                let isShort = !error.message.isEmpty && error.message.utf8.count < 1000
                try #require(isShort, "\(error)")
            }
        }
    }

    /// The value with some parts left out, put elsewhere or replaced.
    private func changed(_ value: JSONValue, _ random: inout SeededRandom) -> JSONValue {
        if random.oneIn(25) {
            return random.pick([
                .null, .bool(true), .integer(-1), .integer(.max), .number(1e300), .string(""), .string("{}"),
                .array([]),
                .object([:]), .array([.object(["type": "text"])]), .string(String(repeating: "é", count: 600)),
            ])
        }
        switch value {
        case .null, .bool, .integer, .number, .string: return value
        case .array(let elements):
            var elements = elements.map { self.changed($0, &random) }
            if random.oneIn(8) { elements += elements }
            if random.oneIn(8) { elements.shuffle(using: &random) }
            return .array(elements)
        case .object(let members):
            var found: [String: JSONValue] = [:]
            for (name, member) in members.sorted(by: { $0.key < $1.key }) where !random.oneIn(15) {
                found[random.oneIn(25) ? random.pick(Self.names) : name] =
                    self.changed(member, &random)
            }
            return .object(found)
        }
    }
}
