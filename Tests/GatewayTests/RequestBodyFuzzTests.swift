import Planning
import Schema
import Serving
import TestSupport
import Testing

@testable import Gateway

/// Bodies that clients could send by mistake or on purpose, against what every door promises: a request or an error
/// that names a status of 400.
struct RequestBodyFuzzTests {
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

    @Test("the requests that are changed are right to begin with")
    func unchanged() throws {
        #expect(try TextCall(chat: Array(Self.chat.canonicalJSON.utf8)).choiceCount == 2)
        #expect(try ResponseCall(Array(Self.response.canonicalJSON.utf8)).request.tools?.functions.count == 1)
    }

    @Test("a request is read, or refused with its reason", arguments: 1...Campaign.rounds(100))
    func bodies(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        for _ in 0..<40 {
            let isChat = random.oneIn(2)
            var body = Array(self.changed(isChat ? Self.chat : Self.response, &random).canonicalJSON.utf8)
            if random.oneIn(4) {
                body[Int.random(in: body.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            if random.oneIn(8) { body.removeLast(Int.random(in: 0..<body.count, using: &random)) }
            do {
                if isChat { _ = try TextCall(chat: body) } else { _ = try ResponseCall(body) }
            } catch let error as OpenAIError {
                #expect(error.status == 400, "\(error)")
                #expect(!error.message.isEmpty && error.message.utf8.count < 1000)
            }
        }
    }

    /// The value with some parts left out, put elsewhere or replaced.
    private func changed(_ value: JSONValue, _ random: inout SeededRandom) -> JSONValue {
        if random.oneIn(25) {
            return random.pick([
                .null, .bool(true), .integer(-1), .integer(.max), .number(1e300), .string(""), .string("{}"),
                .array([]),
                .object([:]), .array([.object(["type": "text"])]), .string(String(repeating: "é", count: 300)),
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
                found[random.oneIn(25) ? random.pick(["type", "name", "role", "", "x"]) : name] =
                    self.changed(member, &random)
            }
            return .object(found)
        }
    }
}
