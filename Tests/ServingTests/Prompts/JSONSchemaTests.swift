import Schema
import Testing

@testable import Serving

struct JSONSchemaTests {
    @Test(
        "each keyword lets the right values through and names the wrong ones",
        arguments: [
            (["type": "string"], "x", 1, "$ must be string, not a number"),
            (["type": ["integer", "null"]], nil, 1.5, "$ must be integer or null, not a number"),
            (["type": "integer"], 2.0, "2", "$ must be integer, not a string"),
            (["type": "number"], 1, true, "$ must be number, not a boolean"),
            (["enum": ["a", 1]], 1.0, "b", "$ must be one of \"a\", 1"),
            (["const": ["a": 1]], ["a": 1.0], ["a": 2], "$ must be {\"a\":1}"),
            (["required": ["a"]], ["a": nil], ["b": 1], "$ lacks 'a'"),
            (["properties": ["a": ["type": "string"]]], ["b": 1], ["a": 1], "$.a must be string, not a number"),
            (["properties": ["a": true], "additionalProperties": false], ["a": 1], ["b": 1], "$.b is not allowed"),
            (["additionalProperties": ["type": "null"]], ["x": nil], ["x": 1], "$.x must be null, not a number"),
            (["items": ["minimum": 1]], [1, 2], [1, 0], "$[1] must be at least 1"),
            (["minItems": 1], [1], [], "$ has 0 elements, at least 1 allowed"),
            (["maxItems": 1], [1], [1, 2], "$ has 2 elements, at most 1 allowed"),
            (["uniqueItems": true], [1, "1"], [1, 1.0], "$ must not hold the same element twice"),
            (["minLength": 2], "äö", "ä", "$ has 1 characters, at least 2 allowed"),
            (["maxLength": 2], "äö", "abc", "$ has 3 characters, at most 2 allowed"),
            (["minProperties": 1], ["a": 1], [:], "$ has 0 members, at least 1 allowed"),
            (["maxProperties": 1], ["a": 1], ["a": 1, "b": 1], "$ has 2 members, at most 1 allowed"),
            (["pattern": "^[a-z]+$"], "abc", "aBc", "$ must match ^[a-z]+$"),
            (["maximum": 2], 2, 3, "$ must be at most 2"),
            (["exclusiveMinimum": 2], 2.5, 2, "$ must be above 2"),
            (["exclusiveMaximum": 2], 1, 2, "$ must be below 2"),
            (["multipleOf": 0.1], 0.3, 0.35, "$ must be a multiple of 0.1"),
            (["anyOf": [["type": "string"], ["type": "null"]]], "x", 1, "$ must be string, not a number"),
            (["oneOf": [["minimum": 1], ["maximum": 1]]], 2, 1, "$ must fit one of 2 schemas, and fits 2"),
            (["allOf": [["minimum": 1], ["maximum": 3]]], 2, 4, "$ must be at most 3"),
            (["not": ["type": "string"]], 1, "x", "$ fits a schema that it must not fit"),
            (true, 1, nil, nil),
            (["title": "x", "format": "date", "description": "y"], 1, nil, nil),
        ] as [(JSONValue, JSONValue, JSONValue?, String?)]
    )
    func keyword(schema: JSONValue, right: JSONValue, wrong: JSONValue?, problem: String?) throws {
        let schema = try JSONSchema(schema)
        #expect(schema.problems(in: right) == [])
        if let wrong { #expect(schema.problems(in: wrong).first?.description == problem) }
    }

    @Test("references lead to other parts of the schema, also to where they stand")
    func references() throws {
        let schema = try JSONSchema([
            "$defs": [
                "a/b": ["type": "object", "properties": ["next": ["$ref": "#/$defs/a~1b"], "n": ["type": "null"]]]
            ],
            "items": ["$ref": "#/$defs/a~1b"],
        ])
        #expect(schema.problems(in: [["next": ["next": ["n": nil]]]]) == [])
        #expect(
            schema.problems(in: [["next": ["next": ["n": 1]]]]).map(\.description) == [
                "$[0].next.next.n must be null, not a number"
            ]
        )
    }

    @Test("members are told apart whatever their names hold")
    func places() throws {
        let schema = try JSONSchema([
            "$defs": ["n": ["type": "null"]],
            "properties": ["a.b": ["$ref": "#/$defs/n"], "a": ["additionalProperties": ["$ref": "#/$defs/n"]]],
        ])
        #expect(schema.problems(in: ["a": ["b": 1], "a.b": nil]).map(\.path) == ["$.a.b"])
        #expect(schema.problems(in: ["a": ["b": nil], "a.b": 1]).map(\.path) == ["$[\"a.b\"]"])
    }

    @Test("a value that lies deep costs no more for alternatives that refer to the whole")
    func manyWays() throws {
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let way: JSONValue = ["type": ["array", "string"], "items": ["$ref": "#"], "pattern": "^x"]
            let schema = try JSONSchema([keyword: [way, way, way]])
            let value = (0..<100).reduce(JSONValue.string("y")) { value, _ in [value] }
            #expect(!schema.problems(in: value).isEmpty)
        }
    }

    @Test(
        "a schema that could not be kept is refused, with the place",
        arguments: [
            (
                ["$ref": "#/$defs/a"],
                "the schema refers to '#/$defs/a', which is no part of it; a reference is '#' and a JSON pointer"
            ),
            (
                ["$ref": "https://example.com/a"],
                "the schema refers to 'https://example.com/a', which is no part of it; a reference is '#' and a JSON "
                    + "pointer"
            ),
            (["anyOf": [["$ref": "#"], ["type": "null"]]], "the schema refers from '#' only back to itself"),
            (["if": true], "the schema has the keyword 'if', which is not supported"),
            (
                ["properties": ["a": ["if": true]]],
                "the schema.properties.a has the keyword 'if', which is not supported"
            ),
            (
                ["type": "text"],
                "the schema.type must be one or more of array, boolean, integer, null, number, object, string"
            ),
            (["minLength": -1], "the schema.minLength must be a whole number, 0 or more"),
            (["pattern": "("], "the schema.pattern is no regular expression"),
            (["items": 1], "the schema.items must be an object or a boolean"),
            (["anyOf": []], "the schema.anyOf must not be empty"),
            (["multipleOf": 0], "the schema.multipleOf must be a number, and above 0 for multipleOf"),
            (["required": [1]], "the schema.required must be a list of names"),
        ] as [(JSONValue, String)]
    )
    func refused(schema: JSONValue, message: String) {
        let error = #expect(throws: MartletError.self) { try JSONSchema(schema) }
        #expect(error?.code == "SchemaUnsupported")
        #expect(error?.message == message)
    }
}
