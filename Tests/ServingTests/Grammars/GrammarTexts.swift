import TestSupport

@testable import Serving

/// Reads and writes texts by a grammar, the way an engine would.
struct GrammarTexts {
    let grammar: Grammar

    /// Whether the grammar derives a text.
    func derives(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        return self.match(.rule(Grammar.root), scalars, 0) { $0 == scalars.count }
    }

    /// A random text of the grammar; past `budget` parts it takes what ends soonest.
    func write(budget: Int = 60, using random: inout SeededRandom) -> String {
        var text = ""
        var budget = budget
        self.write(.rule(Grammar.root), to: &text, budget: &budget, using: &random)
        return text
    }

    private func match(
        _ expression: Grammar.Expression,
        _ scalars: [Unicode.Scalar],
        _ start: Int,
        _ rest: (Int) -> Bool
    ) -> Bool {
        switch expression {
        case .text(let text):
            let end = start + text.unicodeScalars.count
            return end <= scalars.count && scalars[start..<end].elementsEqual(text.unicodeScalars) && rest(end)
        case .character(let characters):
            guard start < scalars.count else { return false }
            let isListed = characters.ranges.contains { $0.contains(scalars[start]) }
            return isListed != characters.isNegated && rest(start + 1)
        case .rule(let name): return self.grammar.rules[name].map { self.match($0, scalars, start, rest) } ?? false
        case .sequence(let parts): return self.match(parts[...], scalars, start, rest)
        case .choice(let parts): return parts.contains { self.match($0, scalars, start, rest) }
        case .repeated(let part, let from, let to): return self.match(part, from, to, scalars, start, rest)
        }
    }

    private func match(
        _ parts: ArraySlice<Grammar.Expression>,
        _ scalars: [Unicode.Scalar],
        _ start: Int,
        _ rest: (Int) -> Bool
    ) -> Bool {
        guard let first = parts.first else { return rest(start) }
        return self.match(first, scalars, start) { self.match(parts.dropFirst(), scalars, $0, rest) }
    }

    private func match(
        _ part: Grammar.Expression,
        _ from: Int,
        _ to: Int?,
        _ scalars: [Unicode.Scalar],
        _ start: Int,
        _ rest: (Int) -> Bool
    ) -> Bool {
        if to == 0 { return rest(start) }
        let hasMore = self.match(part, scalars, start) { next in
            next > start && self.match(part, max(0, from - 1), to.map { $0 - 1 }, scalars, next, rest)
        }
        return hasMore || (from == 0 && rest(start))
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
