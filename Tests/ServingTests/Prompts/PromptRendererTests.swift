import Planning
import Schema
import Testing

@testable import Serving

struct PromptRendererTests {
    private func rendered(_ content: String, _ values: [String: JSONValue]) throws -> String {
        let variables = JSONValue.object(values.mapValues { ["type": .string(Self.typeName(of: $0))] })
        let template = try Specs.template(
            variables: variables,
            messages: [["role": "user", "content": .string(content)]]
        )
        return try PromptRenderer(template).render(values).lastMessage
    }

    private static func typeName(of value: JSONValue) -> String {
        switch value {
        case .null, .string: "string"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .array: "array"
        case .object: "object"
        }
    }

    @Test(
        "values are put into the text as they are",
        arguments: [
            ("{{m}}", ["m": "<b>&'\"</b>"], "<b>&'\"</b>"),
            ("{{{m}}}|{{&m}}", ["m": "<x>"], "<x>|<x>"),
            ("{{m}}", ["m": "{{secret}} {{#a}}{{/a}}"], "{{secret}} {{#a}}{{/a}}"),
            ("{{m}}", ["m": "<|im_end|>"], "<|im_end|>"),
            ("{{n}} {{d}} {{e}} {{b}}", ["n": 7, "d": 0.5, "e": 2.0, "b": true], "7 0.5 2 true"),
            ("{{o}}", ["o": ["b": 1, "a": [1, nil]]], "{\"a\":[1,null],\"b\":1}"),
            ("{{l}}", ["l": ["x", 1]], "[\"x\",1]"),
            ("{{o.a.b}}", ["o": ["a": ["b": "deep"]]], "deep"),
            ("{{#l}}- {{.}}\n{{/l}}", ["l": ["x", "y"]], "- x\n- y\n"),
            ("{{#l}}\n- {{t}}\n{{/l}}\nend", ["l": [["t": "x"], ["t": "y"]]], "- x\n- y\nend"),
            ("{{^l}}none{{/l}}", ["l": []], "none"),
            ("{{#o.x}}no{{/o.x}}{{^o.x}}null{{/o.x}}{{o.x}}", ["o": ["x": nil]], "null"),
            ("{{#b}}yes{{/b}}{{^b}}no{{/b}}", ["b": false], "no"),
            ("{{#s}}in {{s}}{{/s}}", ["s": "x"], "in x"),
            ("\nfirst line\n", [:], "\nfirst line\n"),
            ("{\"a\": {{n}}, {}} {", ["n": 1], "{\"a\": 1, {}} {"),
            ("{", [:], "{"),
            ("{{m}} {\n", ["m": "x"], "x {\n"),
            ("{{! remark }}\nleft", [:], "left"),
            ("[{{o.none}}{{o.a.b.c}}{{#o.none}}x{{/o.none}}]{{^o.none}}no{{/o.none}}", ["o": ["a": ["b": 1]]], "[]no"),
            ("{{#o}}{{x}}{{#y}}{{x}}{{/y}}{{/o}}", ["o": ["x": "1", "y": ["z": 2]]], "11"),
            ("{{#l}}{{#.}}{{.}}{{/.}};{{/l}}", ["l": [[1, 2], [3]]], "12;3;"),
            ("{{#l}}{{n}}{{^last}}, {{/last}}{{/l}}", ["l": [["n": 1], ["n": 2, "last": true]]], "1, 2"),
            ("{{#e}}there{{/e}}{{^e}}not{{/e}}", ["e": ""], "there"),
            ("{{#z}}{{z}}{{/z}}", ["z": 0], "0"),
        ] as [(String, [String: JSONValue], String)]
    )
    func values(content: String, values: [String: JSONValue], expected: String) throws {
        #expect(try self.rendered(content, values) == expected)
    }

    @Test("roles, examples and parameters stand where they belong")
    func request() throws {
        let template = try Specs.template(
            variables: ["message": [:], "tone": ["default": "warm"]],
            messages: [
                ["role": "system", "content": "Be {{tone}}."],
                ["role": "user", "content": "Q: {{message}}"],
                ["role": "assistant", "content": "{"],
            ],
            parameters: ["temperature": 0, "maxTokens": 64, "stop": ["\n\n"], "seed": 7, "topK": 3],
            examples: [
                ["input": "plain", "output": ["a": 1]],
                ["input": ["message": "hi", "note": "not a variable"], "output": "ho"],
            ]
        )
        let request = try PromptRenderer(template).render(["message": "now"], adapters: ["formal"])
        #expect(
            request.prompt
                == .chat([
                    ChatMessage(role: "system", content: "Be warm."),
                    ChatMessage(role: "user", content: "plain"),
                    ChatMessage(role: "assistant", content: "{\"a\":1}"),
                    ChatMessage(role: "user", content: "Q: hi"),
                    ChatMessage(role: "assistant", content: "ho"),
                    ChatMessage(role: "user", content: "Q: now"),
                    ChatMessage(role: "assistant", content: "{"),
                ])
        )
        #expect(request.sampling.temperature == 0)
        #expect(request.sampling.topP == nil)
        #expect(request.sampling.topK == 3)
        #expect(request.sampling.seed == 7)
        #expect(request.maxTokens == 64)
        #expect(request.stop == ["\n\n"])
        #expect(request.adapters == ["formal"])
    }

    @Test(
        "a wrong value is named",
        arguments: [
            ([:], "message", "variable 'message' is missing"),
            (["message": 1], "message", "variable 'message' must be a string, not a number"),
            (["message": nil], "message", "variable 'message' must be a string, not null"),
            (["message": "abcde"], "message", "variable 'message' has 5 characters; at most 4 are allowed"),
            (["message": "x", "tone": "rude"], "tone", "variable 'tone' must be one of \"warm\", \"formal\""),
            (["message": "x", "ton": "warm"], "ton", "the template has no variable 'ton'; did you mean 'tone'?"),
            (["message": "x", "count": 1.5], "count", "variable 'count' must be a whole number, not a number"),
            (["message": "x", "tags": "a"], "tags", "variable 'tags' must be an array, not a string"),
            (
                ["message": "x", "tags": ["a", 1]], "tags",
                "variable 'tags' does not fit its schema: $[1] must be string, not a number"
            ),
            (
                ["message": "x", "tags": ["a", "b", "c"]], "tags",
                "variable 'tags' does not fit its schema: $ has 3 elements, at most 2 allowed"
            ),
        ] as [([String: JSONValue], String, String)]
    )
    func wrongValues(values: [String: JSONValue], variable: String, message: String) throws {
        let template = try Specs.template(variables: [
            "message": ["maxLength": 4], "tone": ["enum": ["warm", "formal"], "default": "warm"],
            "count": ["type": "integer", "default": 1],
            "tags": ["type": "array", "default": [], "schema": ["items": ["type": "string"], "maxItems": 2]],
        ])
        let renderer = try PromptRenderer(template)
        #expect(throws: PromptProblem(variable: variable, message: message)) { try renderer.render(values) }
    }

    @Test("lengths count characters, and whole numbers may be written with a point")
    func acceptedValues() throws {
        let template = try Specs.template(variables: [
            "message": ["maxLength": 4], "count": ["type": "integer", "enum": [2, 3]],
        ])
        let request = try PromptRenderer(template).render(["message": "äöü👩‍👩‍👧", "count": 2.0])
        #expect(request.lastMessage == "äöü👩‍👩‍👧")
    }

    @Test(
        "a template that cannot work is refused when it is compiled",
        arguments: [
            (["messages": [["role": "user", "content": "{{#a}}"]]], "TemplateInvalid"),
            (["output": ["schema": ["$ref": "#/x"]]], "SchemaUnsupported"),
            (["examples": [["input": ["message": 1], "output": "x"]]], "TemplateInvalid"),
        ] as [(JSONValue, String)]
    )
    func refused(changes: JSONValue, code: String) throws {
        let template = try Specs.template(
            messages: changes["messages"] ?? [["role": "user", "content": "{{message}}"]],
            output: changes["output"],
            examples: changes["examples"] ?? []
        )
        let error = #expect(throws: MartletError.self) { try PromptRenderer(template) }
        #expect(error?.code == code)
    }
}
