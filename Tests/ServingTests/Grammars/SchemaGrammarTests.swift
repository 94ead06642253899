import Schema
import Testing

@testable import Serving

struct SchemaGrammarTests {
    @Test(
        "the grammar of a schema derives these texts and not those",
        arguments: [
            (["const": "a\"b"], [#""a\"b""#], [#""a""#, ""]),
            (["enum": ["red", 1, nil]], [#""red""#, "1", "null"], ["red", "2"]),
            (["enum": ["red", 1], "type": "string"], [#""red""#], ["1"]),
            (["type": "boolean"], ["true", "false"], ["True", "null"]),
            (["type": ["string", "null"]], [#""""#, #""é\n\u00e9""#, "null"], [#""\ud800""#, "\"\n\"", "1"]),
            (["type": "string", "minLength": 2, "maxLength": 3], [#""ab""#, #""🛋\"c""#], [#""a""#, #""abcd""#]),
            (["type": "integer"], ["0", "-7", "120"], ["01", "1.5", "+1", "1e3"]),
            (["type": "number"], ["0", "-7.25", "1e-3"], ["01", ".5", "5.", "NaN"]),
            (["type": "integer", "minimum": 7, "maximum": 123], ["7", "10", "99", "123"], ["6", "124", "-7", "007"]),
            (["type": "integer", "exclusiveMinimum": -3, "exclusiveMaximum": 2], ["-2", "0", "1"], ["-3", "2"]),
            (["type": "integer", "minimum": 1.5], ["2", "10", "987654"], ["1", "0", "-2"]),
            (
                ["type": "number", "minimum": 0, "maximum": 1], ["0", "1", "0.5", "0.0", "1.0"],
                ["-0.5", "1.1", "2", "-1"]
            ),
            (
                ["type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 2], ["0.001", "1", "1.75"],
                ["0", "0.0", "2", "2.5"]
            ),
            (["type": "number", "maximum": -2], ["-2", "-2.5", "-30"], ["-1", "-1.5", "0", "2"]),
            (["type": "array", "items": ["type": "null"], "minItems": 1], ["[null]", "[null, null]"], ["[]", "[1]"]),
            (["type": "array", "items": false], ["[]"], ["[1]"]),
            (["type": "array", "maxItems": 2], ["[]", "[1,\"a\"]"], ["[1,2,3]"]),
            (
                [
                    "type": "object", "required": ["b"], "properties": ["a": ["type": "null"], "b": ["const": 1]],
                    "additionalProperties": false,
                ],
                [#"{"b":1}"#, #"{"b": 1, "a": null}"#, "{\n  \"b\": 1\n}"],
                ["{}", #"{"a":null}"#, #"{"b":1,"c":1}"#, #"{"b":1,}"#]
            ),
            (
                ["type": "object", "properties": ["a": true, "b": true]], ["{}", #"{"b":[]}"#, #"{"a":1,"b":2}"#],
                ["[]"]
            ),
            (["type": "object", "required": ["x"]], [#"{"x":[{}]}"#], ["{}"]),
            (["type": "object", "additionalProperties": ["const": 1]], ["{}", #"{"k":1,"l":1}"#], [#"{"k":2}"#]),
            (["anyOf": [["type": "null"], ["const": 3]]], ["null", "3"], ["4"]),
            (["anyOf": [["minimum": 3], ["const": 1]], "type": "integer"], ["3", "1"], ["2", "null"]),
            (["allOf": [["type": "integer", "minimum": 2], ["maximum": 3]]], ["2", "3"], ["1", "4"]),
            (
                [
                    "$ref": "#/$defs/tree",
                    "$defs": ["tree": ["type": "array", "items": ["$ref": "#/$defs/tree"]]],
                ],
                ["[]", "[[],[[]]]"], ["[1]", "{}"]
            ),
            (true, ["null", #"{"a":[1,"b",{}]}"#], ["nil"]),
        ] as [(JSONValue, [String], [String])]
    )
    func table(schema: JSONValue, right: [String], wrong: [String]) throws {
        let (grammar, approximations) = try SchemaGrammar.grammar(of: JSONSchema(schema))
        let texts = GrammarTexts(grammar: grammar)
        #expect(approximations == [])
        for text in right { #expect(texts.derives(text), "\(text)") }
        for text in wrong { #expect(!texts.derives(text), "\(text)") }
    }

    @Test(
        "what the grammar leaves to the check is named",
        arguments: [
            (["type": "string", "pattern": "^a+$"], ["pattern"]),
            (["type": "array", "uniqueItems": true], ["uniqueItems"]),
            (["not": ["type": "null"]], ["not"]),
            (["type": "integer", "multipleOf": 5], ["multipleOf"]),
            (["type": "number", "minimum": 0.5], ["maximum", "minimum"]),
            (["type": "string", "maxLength": 100_000], ["maxLength", "minLength"]),
            (["oneOf": [["type": "null"], ["type": "boolean"]]], ["oneOf"]),
            (["type": "object", "minProperties": 1, "properties": ["a": true]], ["maxProperties", "minProperties"]),
            (["type": "object", "properties": ["a": ["type": "string", "pattern": "x"]]], ["pattern"]),
            (["type": "integer", "pattern": "x"], []),
        ] as [(JSONValue, [String])]
    )
    func approximations(schema: JSONValue, keywords: [String]) throws {
        #expect(try SchemaGrammar.grammar(of: JSONSchema(schema)).approximations == keywords)
    }

    @Test(
        "a schema that nothing could be written for is refused",
        arguments: [
            (false, "no value that could be written"),
            (["type": "object", "required": ["a"], "properties": ["a": false]], "no value"),
            (["enum": ["a"], "type": "integer"], "no value"),
            (["type": "string", "minLength": 3, "maxLength": 2], "no value"),
            (
                [
                    "$ref": "#/$defs/a",
                    "$defs": ["a": ["type": "object", "required": ["a"], "properties": ["a": ["$ref": "#/$defs/a"]]]],
                ],
                "no value"
            ),
            (
                [
                    "type": "array", "maxItems": 1000,
                    "items": ["type": "string", "maxLength": 1000], "minItems": 1000,
                ], nil
            ),
        ] as [(JSONValue, String?)]
    )
    func refused(schema: JSONValue, words: String?) throws {
        let schema = try JSONSchema(schema)
        guard let words else {
            // The counts are in rules of their own, so they do not multiply.
            #expect(try SchemaGrammar.grammar(of: schema).grammar.size < Grammar.maximumSize)
            return
        }
        let error = #expect(throws: MartletError.self) { try SchemaGrammar.grammar(of: schema) }
        #expect(error?.message.contains(words) == true)
    }

    @Test("a grammar that would be too large is refused")
    func tooLarge() throws {
        let strings: [JSONValue] = (1...200).map { ["type": "string", "maxLength": .integer(800 + Int64($0))] }
        let schema = try JSONSchema(["anyOf": .array(strings)])
        let error = #expect(throws: MartletError.self) { try SchemaGrammar.grammar(of: schema) }
        #expect(error?.message.contains("too large") == true)
    }

    @Test("GBNF spells every kind of expression")
    func notation() {
        var grammar = Grammar()
        grammar.rules[Grammar.root] = .all(
            .text("a\"\\\n"),
            .optional(.any([.rule("b"), .text("")])),
            .repeated(.all(.rule("b"), .rule("b")), from: 0, to: nil)
        )
        grammar.rules["b"] = .any([
            .repeated(.others(than: "\""..."\"", "]"..."]", "\0"..."\u{1F}"), from: 1, to: nil),
            .repeated(.set("a"..."z", "-"..."-"), from: 2, to: 3),
        ])
        #expect(
            grammar.gbnf == """
                root ::= "a\\"\\\\\\n" (b | "")? (b b)*
                b ::= [^"\\]\\x00-\\x1F]+ | [a-z\\x2D]{2,3}

                """
        )
    }
}
