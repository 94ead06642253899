import TestSupport

@testable import Serving

/// Reads and writes texts by a grammar, the way an engine would.
struct GrammarTexts {
    let grammar: Grammar

    /// Whether the grammar derives a text.
    func derives(_ text: String) -> Bool {
        var matcher = GrammarMatcher(self.grammar)
        return matcher.matches(text)
    }

    /// A random text of the grammar; past `budget` parts it takes what ends soonest.
    func write(budget: Int = 60, using random: inout SeededRandom) -> String {
        var text = ""
        var budget = budget
        self.write(.rule(Grammar.root), to: &text, budget: &budget, using: &random)
        return text
    }

    private func write(
        _ expression: Grammar.Expression,
        to text: inout String,
        budget: inout Int,
        using random: inout SeededRandom
    ) {
        budget -= 1
        switch expression {
        case .text(let part): text += part
        case .character(let characters): text.unicodeScalars.append(self.pick(characters, &random))
        case .rule(let name):
            self.write(self.grammar.rules[name] ?? .nothing, to: &text, budget: &budget, using: &random)
        case .sequence(let parts):
            for part in parts { self.write(part, to: &text, budget: &budget, using: &random) }
        case .choice(let parts):
            let part = budget > 0 ? random.pick(parts) : parts.min { self.height($0) < self.height($1) }
            if let part { self.write(part, to: &text, budget: &budget, using: &random) }
        case .repeated(let part, let from, let to):
            let count = budget > 0 ? Int.random(in: from...min(to ?? from + 3, from + 3), using: &random) : from
            for _ in 0..<count { self.write(part, to: &text, budget: &budget, using: &random) }
        }
    }

    private func pick(_ characters: Grammar.CharacterClass, _ random: inout SeededRandom) -> Unicode.Scalar {
        guard characters.isNegated else {
            let range = random.pick(characters.ranges)
            return Unicode.Scalar(UInt32.random(in: range.lowerBound.value...range.upperBound.value, using: &random))
                ?? range.lowerBound
        }
        let some: [Unicode.Scalar] = ["a", "b", "7", " ", "é", "\u{7F}", "日", "🛋", ":", "}", "<", "[", "{"]
        return random.pick(some.filter { scalar in !characters.ranges.contains { $0.contains(scalar) } })
    }

    /// How many rules within each other the shortest way to an end takes, at least.
    private func height(_ expression: Grammar.Expression, limit: Int = 12) -> Int {
        if limit == 0 { return 1000 }
        switch expression {
        case .text, .character: return 0
        case .rule(let name): return 1 + self.height(self.grammar.rules[name] ?? .nothing, limit: limit - 1)
        case .sequence(let parts): return parts.map { self.height($0, limit: limit) }.max() ?? 0
        case .choice(let parts): return parts.map { self.height($0, limit: limit) }.min() ?? 1000
        case .repeated(let part, let from, _): return from == 0 ? 0 : self.height(part, limit: limit)
        }
    }
}
