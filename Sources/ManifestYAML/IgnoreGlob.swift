/// The pattern of one file or folder name: literal bytes, `*`, `?` and `[…]`.
struct IgnoreGlob: Hashable, Sendable {
    enum Token: Hashable, Sendable {
        case byte(UInt8)
        /// `?`
        case anyByte
        /// `*`
        case anyBytes
        /// `[a-z]`, and `[!a-z]` with the opposite set.
        case oneOf(Set<UInt8>)
    }

    private var tokens: [Token]

    init(_ tokens: [Token]) {
        self.tokens = tokens
    }

    /// Says whether the whole name matches.
    func matches(_ name: [UInt8]) -> Bool {
        Self.match(self.tokens[...], name[...], isAny: { $0 == .anyBytes }) { token, byte in
            switch token {
            case .byte(let expected): byte == expected
            case .anyByte, .anyBytes: true
            case .oneOf(let set): set.contains(byte)
            }
        }
    }

    /// Matches a whole sequence against a pattern some of whose elements stand for any number of elements.
    ///
    /// When the pattern fails, only its latest such element need take one more: an earlier one could reach nothing
    /// that the latest cannot. So the time is at most the product of the lengths, whatever the pattern.
    static func match<Element, Value>(
        _ pattern: ArraySlice<Element>,
        _ values: ArraySlice<Value>,
        isAny: (Element) -> Bool,
        matchesOne: (Element, Value) -> Bool
    ) -> Bool {
        var (place, value) = (pattern.startIndex, values.startIndex)
        var retry: (place: Int, value: Int)?
        while value < values.endIndex {
            if place < pattern.endIndex, isAny(pattern[place]) {
                retry = (place + 1, value)
                place += 1
            } else if place < pattern.endIndex, matchesOne(pattern[place], values[value]) {
                place += 1
                value += 1
            } else if let latest = retry {
                retry = (latest.place, latest.value + 1)
                (place, value) = (latest.place, latest.value + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy(isAny)
    }
}

// MARK: - Reading

extension IgnoreGlob {
    /// Reads a pattern; nil when a bracket is not closed or a backslash ends it, since that matches nothing.
    static func tokens(of pattern: [UInt8]) -> [Token]? {
        var tokens: [Token] = []
        var rest = pattern[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): tokens.append(.anyBytes)
            case UInt8(ascii: "?"): tokens.append(.anyByte)
            case UInt8(ascii: "["):
                guard let set = self.set(&rest) else { return nil }
                tokens.append(.oneOf(set))
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                tokens.append(.byte(escaped))
            default: tokens.append(.byte(byte))
            }
        }
        return tokens
    }

    /// Reads a set up to its closing bracket. A `]` that comes first stands for itself.
    private static func set(_ rest: inout ArraySlice<UInt8>) -> Set<UInt8>? {
        let isOpposite = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isOpposite { rest.removeFirst() }
        var set: Set<UInt8> = []
        /// The byte from which a `-` makes a range.
        var previous: UInt8?
        var isFirst = true
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]"), !isFirst {
                return isOpposite ? Set(UInt8.min...UInt8.max).subtracting(set) : set
            }
            isFirst = false
            if byte == UInt8(ascii: "-"), let low = previous, let next = rest.first, next != UInt8(ascii: "]") {
                rest.removeFirst()
                guard let high = next == UInt8(ascii: "\\") ? rest.popFirst() : next else { return nil }
                if low <= high { set.formUnion(low...high) }
                previous = nil
            } else if byte == UInt8(ascii: "["), let name = self.className(rest) {
                guard let members = self.members(ofClass: name) else { return nil }
                rest.removeFirst(name.utf8.count + 3)
                set.formUnion(members)
                previous = nil
            } else {
                guard let literal = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte else { return nil }
                set.insert(literal)
                previous = literal
            }
        }
        return nil
    }

    /// The name in `:name:]`, if that is what follows a bracket within a set.
    private static func className(_ rest: ArraySlice<UInt8>) -> String? {
        guard rest.first == UInt8(ascii: ":"), let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let name = rest[(rest.startIndex + 1)..<end]
        guard name.last == UInt8(ascii: ":") else { return nil }
        return String(decoding: name.dropLast(), as: UTF8.self)
    }

    /// The ASCII characters of a POSIX class; nil for a class that there is not.
    private static func members(ofClass name: String) -> Set<UInt8>? {
        let digits = Set(UInt8(ascii: "0")...UInt8(ascii: "9"))
        let upper = Set(UInt8(ascii: "A")...UInt8(ascii: "Z"))
        let lower = Set(UInt8(ascii: "a")...UInt8(ascii: "z"))
        let graphic = Set(UInt8(ascii: "!")...UInt8(ascii: "~"))
        let letters = upper.union(lower)
        switch name {
        case "alnum": return letters.union(digits)
        case "alpha": return letters
        case "blank": return Set(" \t".utf8)
        case "cntrl": return Set(UInt8(0)...31).union([127])
        case "digit": return digits
        case "graph": return graphic
        case "lower": return lower
        case "print": return graphic.union(" ".utf8)
        case "punct": return graphic.subtracting(letters).subtracting(digits)
        case "space": return Set(" \t\n\r\u{0B}\u{0C}".utf8)
        case "upper": return upper
        case "xdigit": return digits.union("abcdefABCDEF".utf8)
        default: return nil
        }
    }
}
