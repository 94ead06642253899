extension LinearPattern {
    /// The characters that one place of a pattern takes.
    struct CharacterSet: Sendable, Hashable {
        /// A class of characters with a name.
        enum Class: Sendable, Hashable {
            case digit
            case word
            case space
            indirect case not(Class)
        }

        var ranges: [ClosedRange<UInt32>] = []
        var classes: [Class] = []
        var sets: [CharacterSet] = []
        var isInverted = false
        var ignoresCase = false

        static let all = CharacterSet(isInverted: true)
        static let allButLineEnds = CharacterSet(ranges: [0x0A...0x0A, 0x0D...0x0D], isInverted: true)

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            let isIn = self.holds(scalar) || (self.ignoresCase && scalar.otherCases.contains { self.holds($0) })
            return isIn != self.isInverted
        }

        private func holds(_ scalar: Unicode.Scalar) -> Bool {
            self.ranges.contains { $0.contains(scalar.value) } || self.classes.contains { $0.contains(scalar) }
                || self.sets.contains { $0.contains(scalar) }
        }
    }
}

extension LinearPattern {
    /// What a set takes of ASCII.
    struct ASCIIBits: Sendable, Hashable {
        private var low: UInt64 = 0
        private var high: UInt64 = 0

        init(of set: CharacterSet) {
            for value in UInt8(0)..<128 where set.contains(Unicode.Scalar(value)) {
                if value < 64 { self.low |= 1 << value } else { self.high |= 1 << (value - 64) }
            }
        }

        /// Whether a character is in the set; nil for one that is not ASCII.
        func tell(_ scalar: Unicode.Scalar) -> Bool? {
            switch scalar.value {
            case 0..<64: self.low >> scalar.value & 1 == 1
            case 64..<128: self.high >> (scalar.value - 64) & 1 == 1
            default: nil
            }
        }
    }
}

extension LinearPattern.CharacterSet.Class {
    fileprivate func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .digit: scalar.properties.numericType == .decimal
        case .word: scalar.isOfWord
        case .space: scalar.properties.isWhitespace
        case .not(let other): !other.contains(scalar)
        }
    }
}

extension Unicode.Scalar {
    /// Whether words are made of it, as `\w` has it.
    var isOfWord: Bool {
        if self.isASCII {
            return self.properties.isAlphabetic || (0x30...0x39).contains(self.value) || self == "_"
        }
        if self.properties.isAlphabetic || self.properties.numericType == .decimal { return true }
        return switch self.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .connectorPunctuation: true
        default: false
        }
    }

    /// The same letter in lower and in upper case, where each is one scalar.
    fileprivate var otherCases: [Unicode.Scalar] {
        if self.isASCII {
            guard (0x41...0x5A).contains(self.value & 0xDF), let other = Unicode.Scalar(self.value ^ 0x20) else {
                return []
            }
            return [other]
        }
        let properties = self.properties
        return [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { text in
            text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
        }
    }
}
