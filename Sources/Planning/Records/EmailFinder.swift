/// Finds addresses of mail: `local@domain`, as people write them, in the form of RFC 5321 without quoted parts.
enum EmailFinder {
    /// The longest part before the `@`, in bytes.
    private static let localLimit = 64

    /// The range of the address around an `@`; nil where it is part of none.
    static func range(around at: Int, in bytes: [UInt8], from start: Int) -> Range<Int>? {
        var low = at
        while low > start, at - low < self.localLimit, self.isLocal(bytes[low - 1]) { low -= 1 }
        // A point at the beginning belongs to the sentence before.
        while low < at, bytes[low] == UInt8(ascii: ".") { low += 1 }
        guard low < at, bytes[at - 1] != UInt8(ascii: ".") else { return nil }
        guard let high = self.endOfDomain(from: at + 1, in: bytes) else { return nil }
        return low..<high
    }

    /// Behind the last label of a domain that has two labels at least, the last one of two letters at least.
    private static func endOfDomain(from start: Int, in bytes: [UInt8]) -> Int? {
        var (place, end, labels) = (start, Int?.none, 0)
        while place < bytes.count {
            let labelStart = place
            while place < bytes.count, self.isLabel(bytes[place]) { place += 1 }
            let label = bytes[labelStart..<place]
            guard let first = label.first, let last = label.last, first != UInt8(ascii: "-"), last != UInt8(ascii: "-")
            else { break }
            labels += 1
            if labels > 1, label.count > 1, !label.allSatisfy(\.isDigit) { end = place }
            guard place < bytes.count, bytes[place] == UInt8(ascii: ".") else { break }
            place += 1
        }
        return end
    }

    private static func isLocal(_ byte: UInt8) -> Bool {
        byte.isWord || ".!#$%&'*+/=?^`{|}~-".utf8.contains(byte)
    }

    private static func isLabel(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.isLetter || byte == UInt8(ascii: "-") || byte >= 0x80
    }
}
