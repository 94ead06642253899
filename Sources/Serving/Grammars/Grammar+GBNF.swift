extension Grammar {
    /// The grammar in GBNF, as llama.cpp reads it: a rule a line, `root` first.
    var gbnf: String {
        let names = self.rules.keys.filter { $0 != Grammar.root }.sorted()
        return ([Grammar.root] + names).compactMap { name in
            self.rules[name].map { "\(name) ::= \($0.gbnf(within: .choice))\n" }
        }.joined()
    }
}

extension Grammar.Expression {
    /// What an expression stands in; those that bind less need parentheses there.
    fileprivate enum Context {
        case choice
        case sequence
        case repetition
    }

    fileprivate func gbnf(within context: Context) -> String {
        switch self {
        case .text(let text): return "\"\(text.unicodeScalars.map { $0.gbnf(quoting: "\"") }.joined())\""
        case .character(let characters): return characters.gbnf
        case .rule(let name): return name
        case .sequence(let parts):
            let text = parts.isEmpty ? "\"\"" : parts.map { $0.gbnf(within: .sequence) }.joined(separator: " ")
            return context == .repetition ? "(\(text))" : text
        case .choice(let parts):
            let text = parts.map { $0.gbnf(within: .choice) }.joined(separator: " | ")
            return context == .choice ? text : "(\(text))"
        case .repeated(let part, let from, let to):
            return part.gbnf(within: .repetition) + Self.suffix(from, to)
        }
    }

    private static func suffix(_ from: Int, _ to: Int?) -> String {
        switch (from, to) {
        case (0, nil): "*"
        case (1, nil): "+"
        case (0, 1): "?"
        case (let from, nil): "{\(from),}"
        case (let from, let to?): from == to ? "{\(from)}" : "{\(from),\(to)}"
        }
    }
}

extension Grammar.CharacterClass {
    fileprivate var gbnf: String {
        let ranges = self.ranges.map { range in
            let (first, last) = (range.lowerBound.gbnf(quoting: "]"), range.upperBound.gbnf(quoting: "]"))
            return range.lowerBound == range.upperBound ? first : "\(first)-\(last)"
        }
        return "[\(self.isNegated ? "^" : "")\(ranges.joined())]"
    }
}

extension Unicode.Scalar {
    /// The character as it stands in quotes or brackets.
    fileprivate func gbnf(quoting end: Character) -> String {
        switch self {
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case _ where Character(self) == end: return "\\\(end)"
        // Within brackets these two have a meaning of their own.
        case "^" where end == "]": return "\\x5E"
        case "-" where end == "]": return "\\x2D"
        case "[" where end == "]": return "\\["
        case _ where self.value < 0x20 || self.value == 0x7F:
            let digits = String(self.value, radix: 16, uppercase: true)
            return "\\x" + (digits.count == 1 ? "0" : "") + digits
        default: return String(Character(self))
        }
    }
}
