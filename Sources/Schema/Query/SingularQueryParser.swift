/// Reads the text of a ``SingularQuery``.
struct SingularQueryParser {
    typealias Failure = SingularQuery.SyntaxError

    private let scalars: [Unicode.Scalar]
    private var position = 0
    /// The largest index that every JSON implementation holds exactly, as RFC 9535 asks: 2^53 - 1.
    private static let largestIndex = 9_007_199_254_740_991

    init(_ text: String) {
        self.scalars = Array(text.unicodeScalars)
    }

    /// Whether `.name` may stand for `['name']`.
    static func isShorthand(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, Self.isNameFirst(first) else { return false }
        return name.unicodeScalars.allSatisfy { Self.isNameFirst($0) || Self.isDigit($0) }
    }

    mutating func parse() throws(Failure) -> [SingularQuery.Segment] {
        guard self.take("$") else { throw self.failure("a reference begins with '$'") }
        var segments: [SingularQuery.Segment] = []
        while self.position < self.scalars.count {
            let beforeSpace = self.position
            while let next = self.peek, " \t\n\r".unicodeScalars.contains(next) { self.position += 1 }
            if self.take(".") {
                segments.append(.name(try self.parseShorthand()))
            } else if self.take("[") {
                segments.append(try self.parseBracket())
            } else {
                throw self.unexpected(beforeSpace)
            }
        }
        return segments
    }

    private var peek: Unicode.Scalar? {
        self.position < self.scalars.count ? self.scalars[self.position] : nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.peek == scalar else { return false }
        self.position += 1
        return true
    }

    private mutating func parseShorthand() throws(Failure) -> String {
        guard let first = self.peek else { throw self.failure("a name is missing after '.'") }
        if first == "." { throw self.failure("'..' selects many values; a reference selects one") }
        if first == "*" { throw self.failure("'*' selects many values; a reference selects one") }
        guard Self.isNameFirst(first) else {
            throw self.failure("a name cannot begin with '\(first)'; write it in brackets: ['\(first)…']")
        }
        let start = self.position
        while let next = self.peek, Self.isNameFirst(next) || Self.isDigit(next) { self.position += 1 }
        let name = self.text(start..<self.position)
        if self.peek == "-" {
            var end = self.position
            while end < self.scalars.count, self.scalars[end] != ".", self.scalars[end] != "[" { end += 1 }
            throw self.failure("a name with '-' stands in brackets: ['\(self.text(start..<end))']")
        }
        return name
    }

    private mutating func parseBracket() throws(Failure) -> SingularQuery.Segment {
        let segment: SingularQuery.Segment
        switch self.peek {
        case "'"?, "\""?: segment = .name(try self.parseString())
        case "*"?: throw self.failure("'*' selects many values; a reference selects one")
        case "?"?: throw self.failure("a filter selects many values; a reference selects one")
        case let next? where next == "-" || Self.isDigit(next): segment = .index(try self.parseIndex())
        default: throw self.failure("expected an index or a quoted name after '['")
        }
        guard self.take("]") else { throw self.failure("expected ']'") }
        return segment
    }

    private mutating func parseIndex() throws(Failure) -> Int {
        let start = self.position
        let isNegative = self.take("-")
        let firstDigit = self.position
        while let next = self.peek, Self.isDigit(next) { self.position += 1 }
        let digits = self.text(firstDigit..<self.position)
        guard let value = Int(digits), value <= Self.largestIndex else {
            self.position = start
            throw self.failure("an index is a whole number up to \(Self.largestIndex)")
        }
        if digits.hasPrefix("0"), digits.count > 1 || isNegative {
            self.position = start
            throw self.failure("an index has no leading zero")
        }
        return isNegative ? -value : value
    }

    private mutating func parseString() throws(Failure) -> String {
        let quote = self.scalars[self.position]
        self.position += 1
        var name = String.UnicodeScalarView()
        while let next = self.peek {
            self.position += 1
            if next == quote { return String(name) }
            if next.value < 0x20 {
                self.position -= 1
                throw self.failure("a control character in a name must be escaped")
            }
            name.append(next == "\\" ? try self.parseEscape(in: quote) : next)
        }
        throw self.failure("a quoted name is not closed")
    }

    private mutating func parseEscape(in quote: Unicode.Scalar) throws(Failure) -> Unicode.Scalar {
        guard let next = self.peek else { throw self.failure("a quoted name is not closed") }
        self.position += 1
        switch next {
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "/", "\\", quote: return next
        case "u": return try self.parseUnicodeEscape()
        default:
            self.position -= 1
            throw self.failure("unknown escape in a name")
        }
    }

    private mutating func parseUnicodeEscape() throws(Failure) -> Unicode.Scalar {
        let first = try self.parseCodeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, self.take("\\"), self.take("u") {
            let second = try self.parseCodeUnit()
            if (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw self.failure("half of a surrogate pair in a name")
    }

    private mutating func parseCodeUnit() throws(Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let next = self.peek, next.isASCII, let digit = Character(next).hexDigitValue else {
                throw self.failure("expected four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            self.position += 1
        }
        return unit
    }

    private func text(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        for scalar in self.scalars[range] { view.append(scalar) }
        return String(view)
    }

    private func failure(_ problem: String) -> Failure {
        Failure(offset: self.position, problem: problem)
    }

    private func unexpected(_ offset: Int) -> Failure {
        Failure(offset: offset, problem: "expected '.' or '[' after \(self.text(0..<offset))")
    }

    private static func isNameFirst(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "_": true
        default: scalar.value >= 0x80
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        (0x30...0x39).contains(scalar.value)
    }
}
