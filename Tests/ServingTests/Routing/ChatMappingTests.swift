import Planning
import Schema
import Testing

@testable import Serving

struct ChatMappingTests {
    static let oneString: JSONValue = ["required": ["message"], "properties": ["message": ["type": "string"]]]
    static let conversation = CompletionRequest.Prompt.chat([
        ChatMessage(role: "system", content: "be kind"), ChatMessage(role: "user", content: "one"),
        ChatMessage(role: "assistant", content: "two"), ChatMessage(role: "user", content: "three"),
    ])

    private func mapping(_ chat: JSONValue?, schema: JSONValue?) throws -> ChatMapping {
        let chain = try Specs.chain(steps: [Specs.prompt("a", "x")], input: schema)
        return try ChatMapping(try chat.map { try Specs.decode($0) }, chain: chain)
    }

    @Test(
        "messages become the chain's input",
        arguments: [
            (nil, oneString, conversation, ["message": "three"]),
            (nil, oneString, .text("plain"), ["message": "plain"]),
            (["input": ["m": "$.messages[-1].content"]], nil, conversation, ["m": "three"]),
            (["input": ["m": "$.messages[0].content", "k": 7]], nil, conversation, ["m": "be kind", "k": 7]),
            (["input": ["m": "$.messages[9].content", "k": "$.prompt"]], nil, conversation, [:]),
            (["input": ["k": "$.prompt"]], nil, .text("plain"), ["k": "plain"]),
        ] as [(JSONValue?, JSONValue?, CompletionRequest.Prompt, JSONValue)]
    )
    func input(chat: JSONValue?, schema: JSONValue?, prompt: CompletionRequest.Prompt, expected: JSONValue) throws {
        #expect(try self.mapping(chat, schema: schema).input(for: prompt) == expected)
    }

    static let twoStrings: JSONValue = [
        "required": ["a", "b"], "properties": ["a": ["type": "string"], "b": ["type": "string"]],
    ]
    static let oneInteger: JSONValue = ["required": ["a"], "properties": ["a": ["type": "integer"]]]

    @Test(
        "what cannot be mapped is refused",
        arguments: [
            (nil, conversation), (twoStrings, conversation), (oneInteger, conversation),
            (oneString, .chat([ChatMessage(role: "system", content: "alone")])),
        ] as [(JSONValue?, CompletionRequest.Prompt)]
    )
    func refused(schema: JSONValue?, prompt: CompletionRequest.Prompt) throws {
        let mapping = try self.mapping(nil, schema: schema)
        let error = #expect(throws: CallError.self) { try mapping.input(for: prompt) }
        #expect(error?.code == .invalidInput)
    }

    @Test(
        "the chain's output becomes the answer's text",
        arguments: [
            (nil, "x", "x"), (nil, ["b": 1, "a": [2]], "{\"a\":[2],\"b\":1}"),
            ("$.output", "x", "x"), ("$.output.reply", ["reply": "r"], "r"),
            ("$.output.reply", "x", nil), (["firstOf": ["$.output.reply", "none"]], "x", "none"),
        ] as [(JSONValue?, JSONValue, String?)]
    )
    func output(expression: JSONValue?, output: JSONValue, text: String?) throws {
        let mapping = try self.mapping(expression.map { ["output": $0] }, schema: nil)
        #expect(mapping.text(of: output) == text)
    }
}
