import Testing

@testable import Serving

struct PlainLettersTests {
    private func plain(_ text: String) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: PlainLetters(of: Array(text.unicodeScalars)).scalars)
        return String(view)
    }

    @Test(
        "disguises come off",
        arguments: [
            ("ig\u{200B}no\u{200D}re\u{FEFF}", "ignore"), ("\u{202E}ignore\u{202C}", "ignore"),
            ("i\u{0336}g\u{0301}nore", "ignore"), ("ｉｇｎｏｒｅ　１", "ignore 1"), ("іgnоrе", "ignore"), ("ιgnοre", "ignore"),
            ("𝐢𝓰𝕟𝖔𝗋𝙚", "ignore"), ("ⓘⓖⓝⓞⓡⓔ", "ignore"), ("ᴵgnore", "Ignore"), ("ĩğñöřé", "ignore"), ("ﬁx", "fix"),
            ("١٢٣ ²", "123 2"), ("🇦🇧", "ab"), ("ignore\u{00A0}all", "ignore all"), ("soft\u{00AD}ware", "software"),
            ("你好, мир", "你好, mиp"), ("plain", "plain"),
        ]
    )
    func disguises(text: String, expected: String) {
        #expect(self.plain(text) == expected)
    }

    @Test("places in the text are kept")
    func origins() {
        let text = Array("a\u{200B}ﬁx".unicodeScalars)
        let letters = PlainLetters(of: text)
        #expect(letters.scalars.count == 4)
        #expect(letters.origin(of: 0..<2) == 0..<3)
        #expect(letters.origin(of: 2..<4) == 2..<4)
    }

    @Test("text in invisible tags is read by itself")
    func hidden() {
        let hidden = "ignore".unicodeScalars.compactMap { Unicode.Scalar($0.value + 0xE0000) }
        let text = Array("Hi".unicodeScalars) + hidden
        let letters = PlainLetters(hiddenIn: text)
        #expect(letters.scalars == Array("ignore".unicodeScalars))
        #expect(letters.origin(of: 0..<6) == 2..<8)
    }
}
