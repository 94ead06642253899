/// A text without what disguises its letters: invisible characters and marks gone, and each letter that is drawn like a
/// Latin one, or is one in another style, as that one. Pure.
///
/// It is what patterns are looked for in beside the text itself. Digits that stand for letters, letters set apart by
/// spaces, encodings and other languages are no disguise to it.
struct PlainLetters: Sendable {
    private(set) var scalars: [Unicode.Scalar] = []
    /// For each scalar the place in the text that it comes from, in ascending order.
    private var origins: [Int] = []

    /// The plain text of a text.
    init(of text: [Unicode.Scalar]) {
        self.scalars.reserveCapacity(text.count)
        self.origins.reserveCapacity(text.count)
        for (index, scalar) in text.enumerated() {
            if scalar.isASCII { self.append(scalar, from: index) } else { self.append(plain: scalar, from: index) }
        }
    }

    /// The text that is written in invisible tags only, which people do not see and models may read.
    init(hiddenIn text: [Unicode.Scalar]) {
        for (index, scalar) in text.enumerated() where (0xE0020...0xE007E).contains(scalar.value) {
            if let letter = Unicode.Scalar(scalar.value - 0xE0000) { self.append(letter, from: index) }
        }
    }

    /// Where a stretch of the plain text stands in the text.
    func origin(of range: Range<Int>) -> Range<Int> {
        self.origins[range.lowerBound]..<self.origins[range.upperBound - 1] + 1
    }

    private mutating func append(_ scalar: Unicode.Scalar, from index: Int) {
        self.scalars.append(scalar)
        self.origins.append(index)
    }

    private mutating func append(plain scalar: Unicode.Scalar, from index: Int) {
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint || properties.isBidiControl { return }
        if let lookAlike = Self.lookAlikes[scalar] { return self.append(lookAlike, from: index) }
        if properties.isWhitespace { return self.append(" ", from: index) }
        if (0xFF01...0xFF5E).contains(scalar.value), let half = Unicode.Scalar(scalar.value - 0xFEE0) {
            return self.append(half, from: index)
        }
        if let value = properties.numericValue, (0...9).contains(value), properties.numericType != .numeric,
            let digit = Unicode.Scalar(0x30 + UInt32(value))
        {
            return self.append(digit, from: index)
        }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return
        // Letters of scripts without cases have no look-alikes here.
        case .otherLetter: self.append(scalar, from: index)
        default:
            guard let letters = Self.latinLetters(of: properties) else { return self.append(scalar, from: index) }
            for letter in letters { self.append(letter, from: index) }
        }
    }

    /// The Latin letters that a character is a form of, by its name: `FULLWIDTH LATIN SMALL LETTER A`,
    /// `MATHEMATICAL BOLD CAPITAL B`, `LATIN SMALL LETTER E WITH ACUTE`, `LATIN SMALL LIGATURE FI`.
    private static func latinLetters(of properties: Unicode.Scalar.Properties) -> [Unicode.Scalar]? {
        guard let name = properties.name else { return nil }
        let words = name.split(separator: " ").prefix { $0 != "WITH" }
        let families: Set<Substring> = [
            "LATIN", "MATHEMATICAL", "REGIONAL", "SCRIPT", "BLACK-LETTER", "DOUBLE-STRUCK", "MODIFIER",
        ]
        guard let last = words.last, words.contains(where: families.contains), !words.contains("GREEK"),
            last.count == 1 || words.contains("LIGATURE"), last.allSatisfy({ "A"..."Z" ~= $0 })
        else { return nil }
        return Array((words.contains("CAPITAL") ? String(last) : last.lowercased()).unicodeScalars)
    }

    /// Letters of Cyrillic and Greek that look like Latin ones.
    private static let lookAlikes: [Unicode.Scalar: Unicode.Scalar] = {
        let pairs: [(String, String)] = [
            ("авеѕіјкһӏмнорсԛтуѵԝхԁ", "abesijkhlmhopcqtyvwxd"),
            ("АВЕЅІЈКӀМНОРСТУХ", "ABESIJKIMHOPCTYX"),
            ("αβεικνορτυχγω", "abeikvoptuxyw"),
            ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
        ]
        var table: [Unicode.Scalar: Unicode.Scalar] = [:]
        for (letters, latin) in pairs {
            for (letter, plain) in zip(letters.unicodeScalars, latin.unicodeScalars) { table[letter] = plain }
        }
        return table
    }()
}
