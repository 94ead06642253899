import Planning
import Schema
import Testing

@testable import Serving

/// Schemas that callers could send to make the server work.
struct HostileSchemaTests {
    private static func names(_ count: Int) -> [JSONValue] { (0..<count).map { .string("m\($0)") } }

    private static func members(_ count: Int, _ schema: JSONValue) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: (0..<count).map { ("m\($0)", schema) }))
    }

    /// Members whose texts may be of so many characters, each of one more than the one before it.
    private static func texts(_ count: Int, from length: Int) -> JSONValue {
        .object(
            Dictionary(
                uniqueKeysWithValues: (0..<count).map { index in
                    ("m\(index)", ["type": "string", "maxLength": .integer(Int64(length + index))])
                }
            )
        )
    }

    /// A schema in so many others, each an array of the next.
    private static func nested(_ depth: Int) -> JSONValue {
        (0..<depth).reduce(["type": "null"]) { schema, _ in ["type": "array", "items": schema] }
    }

    /// Alternatives that all have to be combined with each other.
    private static let product: JSONValue = {
        let ways: [JSONValue] = (0..<40).map { level in
            ["anyOf": [["minimum": .integer(level)], ["maximum": .integer(1000 - level)]]]
        }
        return ["properties": ["a": ["allOf": .array(ways)]]]
    }()

    private static let wideProduct: JSONValue = {
        let levels: [JSONValue] = (0..<8).map { (level: Int64) in
            let ways: [JSONValue] = (0..<90).map { ["minimum": .integer(1000 * level + $0)] }
            return ["anyOf": .array(ways)]
        }
        return ["allOf": .array(levels)]
    }()

    @Test(
        "What is too large is refused before it is compiled, and by its place",
        arguments: [
            (["enum": .array(names(1001))], "the schema.enum has 1001 entries"),
            (["items": ["anyOf": [true, ["enum": .array(names(1001))]]]], "the schema.items.anyOf[1].enum has"),
            (["$defs": ["a": ["required": .array(names(1001))]]], "the schema.$defs.a.required has 1001"),
            (["not": ["properties": members(1001, true)]], "the schema.not.properties has 1001"),
            (["allOf": .array([JSONValue](repeating: true, count: 20_000))], "the schema is too large"),
            (["anyOf": [["$ref": "#/anyOf/01"], true]], "refers to '#/anyOf/01', which is no part"),
            (["anyOf": [["$ref": "#/anyOf/2"], true]], "refers to '#/anyOf/2', which is no part"),
            (["anyOf": [["$ref": "#/$defs/~"], true], "$defs": ["~": true]], "refers to '#/$defs/~', which is no"),
        ] as [(JSONValue, String)]
    )
    func compiling(schema: JSONValue, words: String) {
        let error = #expect(throws: MartletError.self) { try JSONSchema(fromCaller: schema) }
        #expect(error?.code == "SchemaUnsupported")
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("What references lead to counts each time that it is compiled")
    func references() {
        // Every level refers to the next one, and holds all that are below it.
        let depth = 60
        let levels = (0..<depth).reversed().reduce(["enum": .array(Self.names(900))] as JSONValue) { inner, level in
            let below = "#" + String(repeating: "/items", count: level + 1)
            return ["items": inner, "anyOf": [["items": ["$ref": .string(below)]], true]]
        }
        let error = #expect(throws: MartletError.self) { try JSONSchema(fromCaller: levels) }
        #expect(error?.message.contains("with all that it refers to") == true, "\(error?.message ?? "")")
    }

    @Test("A long row of definitions, each for the next, is followed once")
    func row() throws {
        var definitions: [String: JSONValue] = ["d4000": ["type": "null"]]
        for index in 0..<4000 { definitions["d\(index)"] = ["$ref": .string("#/$defs/d\(index + 1)")] }
        let schema: JSONValue = ["$ref": "#/$defs/d0", "$defs": .object(definitions)]
        #expect(try JSONSchema(fromCaller: schema).definitions.count == 4001)
        definitions["d4000"] = ["$ref": "#/$defs/d3999"]
        let circle: JSONValue = ["$ref": "#/$defs/d0", "$defs": .object(definitions)]
        let error = #expect(throws: MartletError.self) { try JSONSchema(fromCaller: circle) }
        #expect(error?.message.contains("only back to itself") == true)
    }

    @Test(
        "What makes too large a grammar is refused by its place",
        arguments: [
            (product, "at $.a;"),
            (nested(70), "at $\(String(repeating: "[]", count: 64));"),
            (
                ["properties": ["a": ["items": ["properties": texts(100, from: 900)]]]],
                "at $.a[].m"
            ),
            (
                ["additionalProperties": wideProduct],
                "at $.*;"
            ),
        ] as [(JSONValue, String)]
    )
    func building(schema: JSONValue, words: String) throws {
        let schema = try JSONSchema(fromCaller: schema)
        let error = #expect(throws: MartletError.self) { try SchemaGrammar.grammar(of: schema) }
        #expect(error?.code == "SchemaUnsupported")
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("All functions of a request share what a grammar may cost")
    func tools() {
        let parameters: JSONValue = ["properties": Self.texts(20, from: 400)]
        let tools = ToolUse((0..<20).map { ToolFunction(name: "f\($0)", parameters: parameters) })
        let error = #expect(throws: MartletError.self) {
            try ToolGrammar.grammar(of: tools, in: .tagged, otherwise: nil, isOpened: false)
        }
        #expect(
            error?.message.hasPrefix("'tools': function 'f5': the schema makes too large a grammar at $.m") == true,
            "\(error?.message ?? "")"
        )
    }

    @Test("Schemas that people write are far from the limits")
    func ordinary() throws {
        let line: JSONValue = [
            "type": "object", "required": .array(Self.names(30)),
            "properties": Self.members(60, ["type": "string", "maxLength": 40, "enum": .array(Self.names(20))]),
        ]
        let schema: JSONValue = [
            "type": "object",
            "properties": ["lines": ["type": "array", "maxItems": 50, "items": line], "next": ["$ref": "#"]],
        ]
        #expect(try SchemaGrammar.grammar(of: JSONSchema(fromCaller: schema)).grammar.size < 20_000)
    }
}
