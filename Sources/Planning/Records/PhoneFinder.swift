/// Finds numbers of phones: 7 to 15 digits (ITU-T E.164) that are written as people write phone numbers, since digits
/// alone may be anything.
///
/// That is: behind `+` or `00`; in brackets at the beginning; behind a 0, with a space, slash or hyphen somewhere, or ten
/// or eleven digits long; or three, three and four digits.
enum PhoneFinder {
    /// The range of the number that begins at a digit, `+` or `(`; nil where there is none.
    static func range(at start: Int, in bytes: [UInt8]) -> Range<Int>? {
        guard let run = Run(at: start, in: bytes), (7...15).contains(run.digits.count) else { return nil }
        let isPhone =
            bytes[start] == UInt8(ascii: "+") || run.isBracketed || run.digits.starts(with: "00".utf8)
            || self.isNational(run) || self.isAmerican(run)
        return isPhone ? start..<run.end : nil
    }

    private static func isNational(_ run: Run) -> Bool {
        guard run.digits.first == UInt8(ascii: "0"), !run.separators.contains(UInt8(ascii: ".")) else { return false }
        // Dates such as 01-02-2026 have short groups only.
        let hasLongGroup = run.groups.contains { $0 > 4 } || run.groups.count { $0 > 2 } > 1
        return run.separators.isEmpty ? (10...11).contains(run.digits.count) : hasLongGroup
    }

    private static func isAmerican(_ run: Run) -> Bool {
        Set(run.separators).count == 1 && (run.groups == [3, 3, 4] || run.groups == [1, 3, 3, 4])
    }

    /// Digits in groups, with one separator between two of them.
    private struct Run {
        var digits: [UInt8] = []
        /// Digits of each group.
        var groups: [Int] = []
        var separators: [UInt8] = []
        var isBracketed = false
        var end: Int

        init?(at start: Int, in bytes: [UInt8]) {
            var place = start
            self.end = start
            if bytes[place] == UInt8(ascii: "+") { place += 1 }
            self.isBracketed = bytes.indices.contains(place) && bytes[place] == UInt8(ascii: "(")
            var isOpen = false
            // More digits than a number has are none, however many follow.
            while place < bytes.count, self.digits.count <= 15 {
                let byte = bytes[place]
                if byte.isDigit {
                    self.take(byte, startsGroup: place == start || !bytes[place - 1].isDigit)
                    if !isOpen { self.end = place + 1 }
                } else if byte == UInt8(ascii: "("), !isOpen, place + 1 < bytes.count, bytes[place + 1].isDigit {
                    isOpen = true
                } else if byte == UInt8(ascii: ")"), isOpen {
                    isOpen = false
                    self.end = place + 1
                } else if " -./".utf8.contains(byte), Run.goesOn(behind: place, in: bytes) {
                    self.separators.append(byte)
                } else {
                    break
                }
                place += 1
            }
            guard self.end == bytes.count || !bytes[self.end].isWord, !isOpen else { return nil }
        }

        private mutating func take(_ digit: UInt8, startsGroup: Bool) {
            self.digits.append(digit)
            if startsGroup { self.groups.append(1) } else { self.groups[self.groups.count - 1] += 1 }
        }

        /// Whether a digit follows, or one in brackets.
        private static func goesOn(behind place: Int, in bytes: [UInt8]) -> Bool {
            guard place + 1 < bytes.count else { return false }
            let next = bytes[place + 1]
            return next.isDigit || next == UInt8(ascii: "(") && place + 2 < bytes.count && bytes[place + 2].isDigit
        }
    }
}
