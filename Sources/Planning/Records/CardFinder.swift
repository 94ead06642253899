/// Finds numbers of payment cards: 13 to 19 digits, alone or in groups, that ISO/IEC 7812's check digit fits.
enum CardFinder {
    /// The range of the number that begins at a digit; nil where there is none.
    static func range(at start: Int, in bytes: [UInt8]) -> Range<Int>? {
        // First digits of banks and shops; others are for airlines and numbers within a country.
        guard (UInt8(ascii: "2")...UInt8(ascii: "6")).contains(bytes[start]) else { return nil }
        var digits: [UInt8] = []
        var (place, separator) = (start, UInt8?.none)
        var end: Int?
        while place < bytes.count {
            let byte = bytes[place]
            if byte.isDigit {
                digits.append(byte - UInt8(ascii: "0"))
                place += 1
                let isWhole = place == bytes.count || !bytes[place].isWord
                if digits.count > 19 { break }
                if isWhole, digits.count >= 13, self.isValid(digits) { end = place }
                continue
            }
            // One kind of separator, one at a time, between digits.
            guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-"), separator == nil || separator == byte,
                place + 1 < bytes.count, bytes[place + 1].isDigit
            else { break }
            separator = byte
            place += 1
        }
        return end.map { start..<$0 }
    }

    /// Luhn's check: every second digit from the right but one is doubled, and all sum up to a multiple of ten.
    static func isValid(_ digits: [UInt8]) -> Bool {
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let value = index.isMultiple(of: 2) ? Int(digit) : Int(digit) * 2
            sum += value > 9 ? value - 9 : value
        }
        return sum.isMultiple(of: 10)
    }
}
