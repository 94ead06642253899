internal import Planning
internal import Schema

// One element each.
extension TensorText {
    mutating func readBoolean(_ text: Span<UInt8>) throws {
        if self.skip("true", text) {
            self.append(UInt8(1))
        } else if self.skip("false", text) {
            self.append(UInt8(0))
        } else {
            throw self.wrongElement(text, from: self.position, "true or false")
        }
    }

    mutating func readInteger<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ text: Span<UInt8>,
        as type: Integer.Type
    ) throws {
        let start = self.position
        guard let number = self.integer(text, as: type) else {
            throw self.wrongElement(text, from: start, "a whole number from \(Integer.min) to \(Integer.max)")
        }
        self.append(number)
    }

    /// Nil where there is no whole number, or one out of range.
    private mutating func integer<Integer: FixedWidthInteger>(
        _ text: Span<UInt8>,
        as type: Integer.Type
    ) -> Integer? {
        let isNegative = self.skip(UInt8(ascii: "-"), text)
        let first = self.position
        var magnitude: UInt64 = 0
        while let digit = self.nextDigit(text) {
            let (tens, overflowsTens) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, overflowsSum) = tens.addingReportingOverflow(UInt64(digit))
            guard !overflowsTens, !overflowsSum else { return nil }
            magnitude = sum
            self.position += 1
        }
        guard self.position > first, text[first] != UInt8(ascii: "0") || self.position == first + 1 else { return nil }
        if self.position < text.count {
            let next = text[self.position]
            guard next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e") else { return nil }
        }
        guard isNegative else { return Integer(exactly: magnitude) }
        guard magnitude <= Int64.min.magnitude else { return nil }
        return Integer(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    }

    mutating func readDouble(_ text: Span<UInt8>) throws {
        let start = self.position
        if let word = self.floatWord(text) { return self.append(word) }
        guard let decimal = DecimalNumber(text, at: &self.position) else {
            throw self.wrongElement(text, from: start, "a number")
        }
        guard let number = decimal.exactDouble ?? Double(decimal.text(text)), number.isFinite else {
            throw self.wrongElement(text, from: start, "a number within the range of FP64")
        }
        self.append(number)
    }

    mutating func readFloat(_ text: Span<UInt8>) throws {
        let start = self.position
        if let word = self.floatWord(text) { return self.append(Float(word)) }
        guard let decimal = DecimalNumber(text, at: &self.position) else {
            throw self.wrongElement(text, from: start, "a number")
        }
        guard let number = decimal.exactFloat ?? Float(decimal.text(text)), number.isFinite else {
            throw self.wrongElement(text, from: start, "a number within the range of FP32")
        }
        self.append(number)
    }

    /// What JSON itself cannot say, as common encoders write it: `null` for not a number, too.
    private mutating func floatWord(_ text: Span<UInt8>) -> Double? {
        switch text[self.position] {
        case UInt8(ascii: "N"): self.skip("NaN", text) ? .nan : nil
        case UInt8(ascii: "n"): self.skip("null", text) ? .nan : nil
        case UInt8(ascii: "I"): self.skip("Infinity", text) ? .infinity : nil
        case UInt8(ascii: "-"): self.skip("-Infinity", text) ? -.infinity : nil
        default: nil
        }
    }

    mutating func readText(_ text: Span<UInt8>) throws {
        let start = self.position
        guard self.skip(UInt8(ascii: "\""), text) else { throw self.wrongElement(text, from: start, "a string") }
        var hasEscapes = false
        while self.position < text.count, text[self.position] != UInt8(ascii: "\"") {
            let byte = text[self.position]
            guard byte >= 0x20 else {
                throw self.invalid("has a control character in element \(self.read), which must be escaped")
            }
            hasEscapes = hasEscapes || byte == UInt8(ascii: "\\")
            self.position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        guard self.skip(UInt8(ascii: "\""), text) else {
            throw self.wrongElement(text, from: start, "a string that is closed")
        }
        guard hasEscapes else { return self.append(text.extracting(start + 1..<self.position - 1)) }
        do {
            let value = try JSONValue(parsing: text.extracting(start..<self.position), leaving: nil)
            self.append(Array((value.string ?? "").utf8).span)
        } catch {
            throw self.invalid("has \(error.problem) as element \(self.read)")
        }
    }

    private mutating func append(_ characters: Span<UInt8>) {
        withUnsafeBytes(of: UInt32(characters.count)) { self.bytes.append(contentsOf: $0) }
        characters.withUnsafeBufferPointer { self.bytes.append(contentsOf: $0) }
        self.read += 1
    }

    private func nextDigit(_ text: Span<UInt8>) -> UInt8? {
        guard self.position < text.count, case let digit = text[self.position] &- 0x30, digit < 10 else { return nil }
        return digit
    }

    /// Skips a word, where it is what comes next.
    private mutating func skip(_ word: StaticString, _ text: Span<UInt8>) -> Bool {
        let matches = word.withUTF8Buffer { letters in
            text.count - self.position >= letters.count
                && letters.indices.allSatisfy { text[self.position + $0] == letters[$0] }
        }
        if matches { self.position += word.utf8CodeUnitCount }
        return matches
    }
}
