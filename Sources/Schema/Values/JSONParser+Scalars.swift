extension JSONParser {
    /// Parses a string whose opening quote is next.
    mutating func parseString(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> String {
        self.position += 1
        let start = self.position
        while self.position < bytes.count {
            let byte = bytes[self.position]
            if byte == UInt8(ascii: "\"") {
                let text = bytes.extracting(start..<self.position).string
                self.position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try self.parseEscapedString(bytes, from: start) }
            if byte < 0x20 { throw self.error("a control character in a string must be escaped") }
            self.position += 1
        }
        throw self.error("a string is not closed")
    }

    /// Parses the rest of a string that has at least one escape, at the present position.
    private mutating func parseEscapedString(_ bytes: Span<UInt8>, from start: Int) throws(JSONSyntaxError) -> String {
        var text = bytes.extracting(start..<self.position).string
        var runStart = self.position
        while self.position < bytes.count {
            let byte = bytes[self.position]
            if byte == UInt8(ascii: "\"") {
                text += bytes.extracting(runStart..<self.position).string
                self.position += 1
                return text
            }
            if byte < 0x20 { throw self.error("a control character in a string must be escaped") }
            self.position += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            text += bytes.extracting(runStart..<(self.position - 1)).string
            text.unicodeScalars.append(try self.parseEscape(bytes))
            runStart = self.position
        }
        throw self.error("a string is not closed")
    }

    private mutating func parseEscape(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> Unicode.Scalar {
        guard self.position < bytes.count else { throw self.error("a string is not closed") }
        let byte = bytes[self.position]
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try self.parseUnicodeEscape(bytes)
        default:
            self.position -= 1
            throw self.error("unknown escape in a string")
        }
    }

    private mutating func parseUnicodeEscape(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try self.parseCodeUnit(bytes)
        if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
        guard UTF16.isLeadSurrogate(first), self.position + 1 < bytes.count,
            bytes[self.position] == UInt8(ascii: "\\"), bytes[self.position + 1] == UInt8(ascii: "u")
        else { throw self.error("half of a surrogate pair in a string") }
        self.position += 2
        let second = try self.parseCodeUnit(bytes)
        guard UTF16.isTrailSurrogate(second),
            let scalar = Unicode.Scalar(0x10000 + ((UInt32(first) - 0xD800) << 10) + (UInt32(second) - 0xDC00))
        else { throw self.error("half of a surrogate pair in a string") }
        return scalar
    }

    private mutating func parseCodeUnit(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard self.position < bytes.count, let digit = Character(Unicode.Scalar(bytes[self.position])).hexDigitValue
            else { throw self.error("expected four hexadecimal digits") }
            unit = unit << 4 | UInt16(digit)
            self.position += 1
        }
        return unit
    }

    /// Parses a number whose first character is next.
    mutating func parseNumber(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        let start = self.position
        if bytes[self.position] == UInt8(ascii: "-") { self.position += 1 }
        let firstDigit = self.position
        try self.skipDigits(bytes)
        if bytes[firstDigit] == UInt8(ascii: "0"), self.position > firstDigit + 1 {
            self.position = firstDigit
            throw self.error("a number must not begin with 0")
        }
        var isInteger = true
        if self.position < bytes.count, bytes[self.position] == UInt8(ascii: ".") {
            isInteger = false
            self.position += 1
            try self.skipDigits(bytes)
        }
        if self.position < bytes.count, bytes[self.position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            self.position += 1
            if self.position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[self.position]) {
                self.position += 1
            }
            try self.skipDigits(bytes)
        }
        let text = bytes.extracting(start..<self.position).string
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            throw JSONSyntaxError(offset: start, problem: "a number is too large")
        }
        return .number(number)
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) throws(JSONSyntaxError) {
        let start = self.position
        while self.position < bytes.count, (0x30...0x39).contains(bytes[self.position]) { self.position += 1 }
        guard self.position > start else { throw self.error("expected a digit") }
    }
}

extension Span<UInt8> {
    /// The text of bytes that are known to be UTF-8.
    fileprivate var string: String {
        self.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}
