import Testing

@testable import Serving

struct UTF8AssemblerTests {
    /// Bytes, and the pieces in which they come out when they go in one by one.
    private static let oneByOne: [([UInt8], [String])] = [
        (Array("ab".utf8), ["a", "b", ""]),
        (Array("é".utf8), ["", "é", ""]),
        (Array("€".utf8), ["", "", "€", ""]),
        (Array("🪑!".utf8), ["", "", "", "🪑", "!", ""]),
        ([0xF0, 0x9F], ["", "", "\u{FFFD}"]),
        ([0xC3, 0x41], ["", "\u{FFFD}A", ""]),
        ([0xFF, 0x41], ["\u{FFFD}", "A", ""]),
    ]

    @Test("Only whole characters come out", arguments: oneByOne)
    func wholeCharacters(bytes: [UInt8], pieces: [String]) {
        var assembler = UTF8Assembler()
        let texts = bytes.map { assembler.append([$0]) } + [assembler.finish()]
        #expect(texts == pieces)
    }

    @Test(
        "However bytes are cut, the text is the same",
        arguments: [
            Array("Grüße, 東京 🪑🪑".utf8),
            [0x80, 0x80, 0x80, 0x80, 0x41],
            [0xE2, 0x82, 0xF0, 0x9F, 0xAA, 0x91, 0xC3],
            [0xE0, 0x80, 0x80, 0xF4, 0x90, 0x80, 0x80],
            [0xED, 0xA0, 0x80, 0xC0, 0xAF],
        ]
    )
    func cutsDoNotMatter(bytes: [UInt8]) {
        let whole = String(decoding: bytes, as: UTF8.self)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var assembler = UTF8Assembler()
                let text =
                    assembler.append(bytes[..<first]) + assembler.append(bytes[first..<second])
                    + assembler.append(bytes[second...]) + assembler.finish()
                #expect(text == whole, "cut at \(first) and \(second)")
            }
        }
    }
}
