import Planning
import Schema
import Testing

struct RedactorTests {
    private let everything = Redactor(EndpointSpec.Log.Redaction.allCases)

    private static let findings: [(String, String)] = [
        ("write to jo@example.org.", "write to [email]."),
        ("<jo.o'neil+x@mail.example.co.uk>", "<[email]>"),
        ("Jörg.Müller@exämple.de", "[email]"),
        ("a@b.co,c@d.co", "[email],[email]"),
        ("mailto:jo@example.org?subject=x", "mailto:[email]?subject=x"),
        ("card 4111 1111 1111 1111 ok", "card [card] ok"),
        ("4111111111111111", "[card]"),
        ("5500-0000-0000-0004", "[card]"),
        ("378282246310005", "[card]"),
        ("6011 0009 9013 9424.", "[card]."),
        ("DE89 3704 0044 0532 0130 00 please", "[iban] please"),
        ("de89370400440532013000", "[iban]"),
        ("GB82 WEST 1234 5698 7654 32", "[iban]"),
        ("NO93 8601 1117 947!", "[iban]!"),
        ("call +49 30 901820", "call [phone]"),
        ("+1 (555) 123-4567", "[phone]"),
        ("(555) 123-4567", "[phone]"),
        ("555-123-4567", "[phone]"),
        ("1.555.123.4567", "[phone]"),
        ("030/9018 2000", "[phone]"),
        ("0044 20 7946 0958", "[phone]"),
        ("01712345678", "[phone]"),
        ("tel:+4930901820", "tel:[phone]"),
        ("jo@example.org, +49 30 901820, 4111111111111111", "[email], [phone], [card]"),
    ]

    @Test("what is to be blackened is, wherever it stands", arguments: RedactorTests.findings)
    func found(text: String, expected: String) {
        #expect(self.everything.redact(text) == expected)
    }

    @Test(
        "what only looks alike stays",
        arguments: [
            "", "@", "a@b", "user@localhost", "look @ this.place", "a@.com", "x@-y.com",
            "4111 1111 1111 1112", "1234567890123456", "9999999999999995", "41111111111111111111111",
            "x4111111111111111",
            "DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000", "DE89", "IBAN",
            "2026-01-31", "31.01.2026", "01-02-2026", "12:30", "order 1234567", "3.14159265", "0.123456789",
            "192.168.100.200", "10.0.0.1:8080", "version 1.2.3", "2019-2026", "+1", "(12)", "100,000,000",
            "ISBN 978-3-16-148410-0", "550e8400-e29b-41d4-a716-446655440000",
        ]
    )
    func passed(text: String) {
        #expect(self.everything.redact(text) == text)
    }

    @Test("only what is asked for is blackened", arguments: EndpointSpec.Log.Redaction.allCases)
    func rules(rule: EndpointSpec.Log.Redaction) {
        let parts: [EndpointSpec.Log.Redaction: String] = [
            .email: "jo@example.org", .phone: "+49 30 901820", .card: "4111111111111111",
            .iban: "DE89370400440532013000",
        ]
        let order = EndpointSpec.Log.Redaction.allCases
        let text = order.map { parts[$0] ?? "" }.joined(separator: "; ")
        let expected = order.map { $0 == rule ? "[\(rule.rawValue)]" : parts[$0] ?? "" }.joined(separator: "; ")
        #expect(Redactor([rule]).redact(text) == expected)
        #expect(Redactor([]).redact(text) == text)
    }

    @Test("every text in a value is looked at: elements, members, keys, and numbers that are none")
    func values() {
        let value: JSONValue = [
            "to": ["jo@example.org", ["deep": "+49 30 901820"]], "jo@example.org": true,
            "card": 4_111_111_111_111_111, "count": 12, "rate": 0.5, "none": nil,
        ]
        let expected: JSONValue = [
            "to": ["[email]", ["deep": "[phone]"]], "[email]": true, "card": "[card]", "count": 12, "rate": 0.5,
            "none": nil,
        ]
        #expect(self.everything.redact(value) == expected)
    }

    @Test("blackening what is blackened changes nothing")
    func idempotent() {
        for (text, _) in Self.findings {
            let once = self.everything.redact(text)
            #expect(self.everything.redact(once) == once)
        }
    }

    @Test("long runs take time in proportion to their length, and stay as they are")
    func longTexts() {
        for piece in ["@", "a@", "1", "1 ", "+", "(", "D", "DE8", "0-", "."] {
            let text = String(repeating: piece, count: 50_000)
            #expect(self.everything.redact(text).utf8.count <= text.utf8.count + 16)
        }
    }
}
