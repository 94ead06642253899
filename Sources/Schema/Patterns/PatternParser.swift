/// Reads the patterns that ``LinearPattern`` knows.
struct PatternParser {
    indirect enum Node {
        case character(LinearPattern.CharacterSet)
        case assertion(LinearPattern.Assertion)
        case sequence([Node])
        case alternatives([Node])
        /// - Parameter most: nil for any number.
        case repeated(Node, least: Int, most: Int?)
    }

    private struct Flags {
        var ignoresCase = false
        var linesMatter = false
        var dotTakesAll = false
    }

    /// The most repetitions that a number may ask for.
    private static let mostRepetitions = 1000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var flags = Flags()

    init(_ pattern: String) {
        self.scalars = Array(pattern.unicodeScalars)
    }

    /// The whole pattern. Throws `PatternInvalid`.
    mutating func parse() throws(MartletError) -> Node {
        let node = try self.alternatives()
        guard self.position == self.scalars.count else { throw self.invalid("a ')' closes no group") }
        return node
    }

    private mutating func alternatives() throws(MartletError) -> Node {
        self.depth += 1
        guard self.depth <= RegularExpression.deepest else {
            throw self.invalid("groups nest at most \(RegularExpression.deepest) deep")
        }
        defer { self.depth -= 1 }
        var branches = [try self.sequence()]
        while self.take("|") { branches.append(try self.sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(MartletError) -> Node {
        var parts: [Node] = []
        while let next = self.peek(), next != "|", next != ")" {
            guard let atom = try self.atom() else { continue }
            parts.append(try self.repetitions(of: atom))
        }
        return .sequence(parts)
    }

    // MARK: Parts

    /// One part without its repetitions; nil for what only sets flags.
    private mutating func atom() throws(MartletError) -> Node? {
        let next = self.scalars[self.position]
        self.position += 1
        switch next {
        case "(": return try self.group()
        case "[": return .character(try self.set())
        case ".": return .character(self.flags.dotTakesAll ? .all : .allButLineEnds)
        case "^": return .assertion(self.flags.linesMatter ? .lineStart : .textStart)
        case "$": return .assertion(self.flags.linesMatter ? .lineEnd : .textEnd)
        case "\\": return try self.escape()
        case "*", "+", "?": throw self.invalid("'\(next)' repeats nothing")
        case "{" where self.counts() != nil: throw self.invalid("'{' repeats nothing")
        default: return .character(self.literal(next))
        }
    }

    private mutating func group() throws(MartletError) -> Node? {
        let outer = self.flags
        if self.take("?") {
            if self.take(":") {
                // A group like any other: nobody asks what a group held.
            } else if self.peek().map({ "imsx-".unicodeScalars.contains($0) }) ?? false {
                guard try self.setFlags() else { return nil }
            } else if self.take("P") || self.take("<") {
                try self.groupName()
            } else {
                throw self.invalid("looking ahead or behind, '(?=', '(?!', '(?>', is not available")
            }
        }
        let node = try self.alternatives()
        guard self.take(")") else { throw self.invalid("a '(' is not closed") }
        self.flags = outer
        return node
    }

    /// Reads `i-s:` or `i)`. Returns whether a group's content follows.
    private mutating func setFlags() throws(MartletError) -> Bool {
        var isOn = true
        while let next = self.peek() {
            self.position += 1
            switch next {
            case "i": self.flags.ignoresCase = isOn
            case "m": self.flags.linesMatter = isOn
            case "s": self.flags.dotTakesAll = isOn
            case "-": isOn = false
            case ":": return true
            case ")": return false
            default: throw self.invalid("the flag '\(next)' is not available; i, m and s are")
            }
        }
        throw self.invalid("a '(' is not closed")
    }

    private mutating func groupName() throws(MartletError) {
        _ = self.take("<")
        let first = self.peek()
        guard first != "=", first != "!" else {
            throw self.invalid("looking ahead or behind, '(?<=', '(?<!', is not available")
        }
        while let next = self.peek(), next != ">" {
            guard next.isOfWord else { throw self.invalid("a group's name is made of letters and digits") }
            self.position += 1
        }
        guard self.take(">") else { throw self.invalid("a group's name is not closed") }
    }

    private mutating func escape() throws(MartletError) -> Node {
        guard let next = self.peek() else { throw self.invalid("a '\\' stands at the end") }
        let assertion: LinearPattern.Assertion
        switch next {
        case "b": assertion = .wordBoundary
        case "B": assertion = .noWordBoundary
        case "A": assertion = .textStart
        case "z", "Z": assertion = .textEnd
        default: return .character(try self.escapedSet())
        }
        self.position += 1
        return .assertion(assertion)
    }

    /// The characters that an escape stands for.
    private mutating func escapedSet() throws(MartletError) -> LinearPattern.CharacterSet {
        let next = self.scalars[self.position]
        self.position += 1
        switch next {
        case "d": return .init(classes: [.digit])
        case "D": return .init(classes: [.not(.digit)])
        case "w": return .init(classes: [.word])
        case "W": return .init(classes: [.not(.word)])
        case "s": return .init(classes: [.space])
        case "S": return .init(classes: [.not(.space)])
        case "n": return self.literal("\n")
        case "r": return self.literal("\r")
        case "t": return self.literal("\t")
        case "f": return self.literal("\u{0C}")
        case "v": return self.literal("\u{0B}")
        case "x": return self.literal(try self.codePoint(digits: 2))
        case "u": return self.literal(try self.codePoint(digits: 4))
        default:
            guard !next.properties.isAlphabetic, next.properties.numericType == nil else {
                throw self.invalid("'\\\(next)' is not available")
            }
            return self.literal(next)
        }
    }

    private mutating func codePoint(digits: Int) throws(MartletError) -> Unicode.Scalar {
        var text = ""
        if self.take("{") {
            while let next = self.peek(), next != "}" {
                text.unicodeScalars.append(next)
                self.position += 1
            }
            _ = self.take("}")
        } else {
            for _ in 0..<digits {
                guard let next = self.peek() else { break }
                text.unicodeScalars.append(next)
                self.position += 1
            }
            guard text.count == digits else { throw self.invalid("a code point has \(digits) digits") }
        }
        guard let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value) else {
            throw self.invalid("'\(text)' is no code point")
        }
        return scalar
    }

    // MARK: Sets

    private mutating func set() throws(MartletError) -> LinearPattern.CharacterSet {
        var set = LinearPattern.CharacterSet(isInverted: self.take("^"), ignoresCase: self.flags.ignoresCase)
        var isFirst = true
        while let next = self.peek() {
            self.position += 1
            if next == "]", !isFirst { return set }
            isFirst = false
            if next == "[" { throw self.invalid("'[' inside of a set must be written '\\['") }
            if next == "&", self.peek() == "&" { throw self.invalid("'&&' in a set is not available") }
            let lower = next == "\\" ? try self.escapeInSet() : .init(ranges: [next.value...next.value])
            guard self.peek() == "-", let end = self.peek(1), end != "]", let first = lower.single else {
                set.sets.append(lower)
                continue
            }
            self.position += 2
            let upper = end == "\\" ? try self.escapeInSet().single : end.value
            guard let upper, first <= upper else { throw self.invalid("a range in a set ends before it begins") }
            set.ranges.append(first...upper)
        }
        throw self.invalid("a '[' is not closed")
    }

    private mutating func escapeInSet() throws(MartletError) -> LinearPattern.CharacterSet {
        guard let next = self.peek() else { throw self.invalid("a '[' is not closed") }
        if next == "b" {
            self.position += 1
            return .init(ranges: [8...8])
        }
        return try self.escapedSet()
    }

    // MARK: Repetitions

    private mutating func repetitions(of atom: Node) throws(MartletError) -> Node {
        let (least, most): (Int, Int?)
        if self.take("*") {
            (least, most) = (0, nil)
        } else if self.take("+") {
            (least, most) = (1, nil)
        } else if self.take("?") {
            (least, most) = (0, 1)
        } else if self.peek() == "{", let counts = self.counts(from: 1) {
            self.position = counts.end
            (least, most) = (counts.least, counts.most)
        } else {
            return atom
        }
        if self.take("+") { throw self.invalid("possessive repetitions, such as '*+', are not available") }
        _ = self.take("?")
        if let next = self.peek(), "*+?".unicodeScalars.contains(next) || self.counts(from: 1) != nil && next == "{" {
            throw self.invalid("a repetition is repeated; put it in a group")
        }
        guard max(least, most ?? 0) <= Self.mostRepetitions, least <= most ?? .max else {
            throw self.invalid("a part repeats at most \(Self.mostRepetitions) times, and no less than at least")
        }
        return .repeated(atom, least: least, most: most)
    }

    /// What `{2}`, `{2,}` or `{2,5}` says; nil where it is none, and stands for itself.
    ///
    /// - Parameter offset: of the first digit, from here.
    private func counts(from offset: Int = 0) -> (least: Int, most: Int?, end: Int)? {
        var end = self.position + offset
        func number() -> Int? {
            let start = end
            while end < self.scalars.count, (0x30...0x39).contains(self.scalars[end].value), end - start < 7 {
                end += 1
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: self.scalars[start..<end])
            return Int(String(text))
        }
        guard let least = number(), end < self.scalars.count else { return nil }
        guard self.scalars[end] == "," else { return self.scalars[end] == "}" ? (least, least, end + 1) : nil }
        end += 1
        let most = number()
        return end < self.scalars.count && self.scalars[end] == "}" ? (least, most, end + 1) : nil
    }

    // MARK: Characters

    private func literal(_ scalar: Unicode.Scalar) -> LinearPattern.CharacterSet {
        .init(ranges: [scalar.value...scalar.value], ignoresCase: self.flags.ignoresCase)
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        let index = self.position + offset
        return index < self.scalars.count ? self.scalars[index] : nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.peek() == scalar else { return false }
        self.position += 1
        return true
    }

    private func invalid(_ reason: String) -> MartletError {
        MartletError("PatternInvalid", "\(reason) (at character \(self.position + 1))")
    }
}

extension LinearPattern.CharacterSet {
    /// The one character that it takes, where it is one.
    fileprivate var single: UInt32? {
        guard self.classes.isEmpty, self.sets.isEmpty, self.ranges.count == 1, let range = self.ranges.first,
            range.count == 1, !self.isInverted
        else { return nil }
        return range.lowerBound
    }
}
