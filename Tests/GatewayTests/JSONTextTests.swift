import NIOCore
import Schema
import Testing

@testable import Gateway

@Suite("JSON text")
struct JSONTextTests {
    @Test(
        "Every text comes back as it was",
        arguments: [
            "", "plain", "\"quoted\" and \\ back", "line\nbreak\r\ttab", "\u{0}\u{1}\u{1F}\u{7F}", "Käse 👩‍👩‍👧 \u{2028}",
            String(repeating: "a\"", count: 1000),
        ]
    )
    func roundTrip(text: String) throws {
        var buffer = ByteBuffer()
        buffer.writeJSONString(text)
        #expect(try JSONValue(parsing: String(buffer: buffer)) == .string(text))
        #expect(!buffer.readableBytesView.contains(UInt8(ascii: "\n")))
    }

    @Test("Numbers that JSON cannot say become null", arguments: [(0.1, "0.1"), (-.infinity, "null"), (.nan, "null")])
    func number(value: Double, text: String) {
        var buffer = ByteBuffer()
        buffer.writeJSONNumber(value)
        #expect(String(buffer: buffer) == text)
    }
}
