internal import Schema

/// A stretch of text that is not cut, and how much of a piece's size it takes.
struct TextUnit: Sendable, Hashable {
    var bytes: Range<Int>
    var weight: Int
}

/// Cuts text into units. Each kind counts another thing:
///
/// - tokens: a word counts one for every four letters or digits that it begins, which is about what the tokenizers of
///   embedding models make of it, and rather more than less; an ideograph and any other sign count one each.
/// - characters: what a reader takes for one; a word goes with the white space behind it.
/// - sentences: one each; they end with `.`, `!`, `?`, `…` or their like before white space, and at blank lines.
enum TextUnits {
    /// The longest sentence, in bytes; a longer one is cut between words.
    static let longestSentence = 4096

    /// - Parameters:
    ///   - range: of the text's bytes; it begins and ends between characters.
    ///   - size: the largest piece; a unit that is larger is cut.
    static func units(
        of text: [UInt8],
        in range: Range<Int>,
        by unit: KnowledgeBaseSpec.Chunking.Unit,
        size: Int
    ) -> [TextUnit] {
        switch unit {
        case .tokens, .sections: self.tokens(of: text, in: range, size: size)
        case .characters: self.characters(of: text, in: range, size: size)
        case .sentences: self.sentences(of: text, in: range)
        }
    }

    // MARK: Tokens

    private static let lettersPerToken = 4

    private static func tokens(of text: [UInt8], in range: Range<Int>, size: Int) -> [TextUnit] {
        var units: [TextUnit] = []
        var word: (start: Int, end: Int, letters: Int)?
        func endWord() {
            guard let ended = word else { return }
            let weight = (ended.letters + self.lettersPerToken - 1) / self.lettersPerToken
            units.append(TextUnit(bytes: ended.start..<ended.end, weight: max(1, weight)))
            word = nil
        }
        for (scalar, place) in Scalars(text, range) {
            switch ScalarClass(scalar) {
            case .letter:
                let open = word ?? (place.lowerBound, place.lowerBound, 0)
                word = (open.start, place.upperBound, open.letters + 1)
                if open.letters + 1 == size * self.lettersPerToken { endWord() }
            case .mark:
                // It belongs to what it stands over.
                if let open = word {
                    word = (open.start, place.upperBound, open.letters)
                } else if let last = units.last, last.bytes.upperBound == place.lowerBound {
                    units[units.count - 1].bytes = last.bytes.lowerBound..<place.upperBound
                } else {
                    units.append(TextUnit(bytes: place, weight: 1))
                }
            case .space:
                endWord()
            case .ideograph, .sign:
                endWord()
                units.append(TextUnit(bytes: place, weight: 1))
            }
        }
        endWord()
        return units
    }

    // MARK: Characters

    private static func characters(of text: [UInt8], in range: Range<Int>, size: Int) -> [TextUnit] {
        var units: [TextUnit] = []
        var offset = range.lowerBound
        var open = TextUnit(bytes: offset..<offset, weight: 0)
        var sawSpace = false
        for character in String(decoding: text[range], as: UTF8.self) {
            if open.weight == size || sawSpace && !character.isWhitespace {
                units.append(open)
                open = TextUnit(bytes: offset..<offset, weight: 0)
            }
            sawSpace = character.isWhitespace
            offset += character.utf8.count
            open = TextUnit(bytes: open.bytes.lowerBound..<offset, weight: open.weight + 1)
        }
        return open.weight > 0 ? units + [open] : units
    }

    // MARK: Sentences

    private static func sentences(of text: [UInt8], in range: Range<Int>) -> [TextUnit] {
        var units: [TextUnit] = []
        var start: Int?
        var (end, hasEnded, lineEnds) = (range.lowerBound, false, 0)
        func endSentence() {
            if let start, end > start { units.append(TextUnit(bytes: start..<end, weight: 1)) }
            (start, hasEnded) = (nil, false)
        }
        for (scalar, place) in Scalars(text, range) {
            if ScalarClass(scalar) == .space {
                lineEnds += scalar == "\n" ? 1 : 0
                let isLong = start.map { end - $0 > self.longestSentence } ?? false
                if hasEnded || lineEnds > 1 || isLong { endSentence() }
                continue
            }
            lineEnds = 0
            if self.isFullwidthEnd(scalar) {
                start = start ?? place.lowerBound
                end = place.upperBound
                endSentence()
                continue
            }
            hasEnded = self.isEnd(scalar) || hasEnded && self.isClosing(scalar)
            start = start ?? place.lowerBound
            end = place.upperBound
        }
        endSentence()
        return units
    }

    private static func isEnd(_ scalar: Unicode.Scalar) -> Bool {
        [".", "!", "?", "…"].contains(scalar)
    }

    /// These end a sentence without white space behind them.
    private static func isFullwidthEnd(_ scalar: Unicode.Scalar) -> Bool {
        ["。", "！", "？"].contains(scalar)
    }

    private static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
        ["\"", "'", ")", "]", "}", "”", "’", "»", "“"].contains(scalar)
    }
}

/// What a scalar is to whoever counts tokens.
enum ScalarClass: Sendable, Hashable {
    case letter
    /// An accent or the like, over what comes before it.
    case mark
    case space
    /// One that is a word, or nearly: of Chinese, Japanese or Korean.
    case ideograph
    case sign

    init(_ scalar: Unicode.Scalar) {
        let value = scalar.value
        if value < 0x80 {
            let letter = value | 0x20
            if (0x61...0x7A).contains(letter) || (0x30...0x39).contains(value) {
                self = .letter
            } else {
                self = value <= 0x20 || value == 0x7F ? .space : .sign
            }
            return
        }
        if (0x2E80...0x9FFF).contains(value) || (0xAC00...0xD7AF).contains(value) || (0xF900...0xFAFF).contains(value)
            || (0x20000...0x3FFFF).contains(value)
        {
            self = .ideograph
            return
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            self = .letter
        case .nonspacingMark, .spacingMark, .enclosingMark:
            self = .mark
        case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .format:
            self = .space
        default:
            self = .sign
        }
    }
}

/// The scalars of valid UTF-8 with the places of their bytes.
private struct Scalars: Sequence, IteratorProtocol {
    private let text: [UInt8]
    private var position: Int
    private let end: Int

    init(_ text: [UInt8], _ range: Range<Int>) {
        (self.text, self.position, self.end) = (text, range.lowerBound, range.upperBound)
    }

    mutating func next() -> (Unicode.Scalar, Range<Int>)? {
        guard self.position < self.end else { return nil }
        let (start, first) = (self.position, self.text[self.position])
        let width = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        self.position = Swift.min(start + width, self.end)
        guard width > 1 else { return (Unicode.Scalar(first), start..<self.position) }
        var value = UInt32(first) & (0xFF >> UInt32(width + 1))
        for byte in self.text[(start + 1)..<self.position] { value = value << 6 | UInt32(byte & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", start..<self.position)
    }
}
