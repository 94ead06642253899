import Foundation
import Testing

@testable import Schema

/// The one spelling of values, and quantities read from it.
@Suite("Canonical JSON")
struct CanonicalJSONTests {
    @Test(
        "Text has the escapes that JSON demands and no others",
        arguments: [
            ("", #""""#), ("plain", #""plain""#), ("ü€😀", #""ü€😀""#), ("\u{7F}", "\"\u{7F}\""),
            (#"a"b"#, #""a\"b""#), (#"a\b"#, #""a\\b""#), ("a\nb\r\tc", #""a\nb\r\tc""#),
            ("\u{1}ü\u{1F}", #""\u0001ü\u001f""#),
            ("e\u{301}\n", "\"e\u{301}\\n\""),
        ]
    )
    func escapes(text: String, spelling: String) {
        #expect(Array(JSONValue.string(text).canonicalJSON.utf8) == Array(spelling.utf8))
    }

    @Test("Keys are sorted by their bytes and spelled as text is")
    func objects() {
        let value: JSONValue = ["b": 1, "a\n": [nil, true, 0.5], "é": "x", "B": [:]]
        #expect(value.canonicalJSON == #"{"B":{},"a\n":[null,true,0.5],"b":1,"é":"x"}"#)
    }

    @Test(
        "A quantity is read from text and from a whole number",
        arguments: [JSONValue.string("4Ki"), .string("4096"), .integer(4096), .number(4096)]
    )
    func quantities(value: JSONValue) throws {
        #expect(try JSONValueDecoder().decode(ByteCount.self, from: value).bytes == 4096)
    }

    @Test(
        "What is no quantity is refused",
        arguments: [JSONValue.null, .bool(true), .number(0.5), .string("4 KB"), .array([])]
    )
    func noQuantities(value: JSONValue) {
        #expect(throws: DecodingError.self) { try JSONValueDecoder().decode(ByteCount.self, from: value) }
    }

    @Test("A value inside of a type is taken as it is, nothing where there may be nothing too")
    func values() throws {
        let value: JSONValue = [["a": 1], nil, "b"]
        #expect(try JSONValueDecoder().decode([JSONValue].self, from: value) == value.array)
        #expect(try JSONValueDecoder().decode(JSONValue.self, from: value) == value)
    }
}
