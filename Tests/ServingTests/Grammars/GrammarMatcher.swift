@testable import Serving

/// Follows a text through a grammar the way engines do: with all ways at once that what was read so far can go on.
struct GrammarMatcher {
    /// The most ways that there were at any place of the texts so far.
    private(set) var mostWays = 0

    /// What is still to come: a part of the grammar, and what comes after it.
    private struct Way: Hashable {
        var part: Int
        /// How many characters of a text, parts of a sequence, or turns of a repetition are behind.
        var done = 0
        /// Where the rest stands among `ways`; nil at the end of the text.
        var after: Int?
    }

    private enum Part {
        case text([Unicode.Scalar])
        case character(Grammar.CharacterClass)
        case rule(String)
        case sequence([Int])
        case choice([Int])
        case repeated(Int, from: Int, to: Int?)
    }

    private var parts: [Part] = []
    private var rules: [String: Int] = [:]
    private var ways: [Way] = []
    private var numbers: [Way: Int] = [:]

    init(_ grammar: Grammar) {
        for (name, rule) in grammar.rules { self.rules[name] = self.add(rule) }
    }

    /// Whether the grammar derives a text.
    mutating func matches(_ text: String) -> Bool {
        self.ways = []
        self.numbers = [:]
        guard let root = self.rules[Grammar.root] else { return false }
        var canEnd = false
        var next = self.settled([Way(part: root)], &canEnd)
        for scalar in text.unicodeScalars {
            canEnd = false
            next = self.settled(next.compactMap { self.advanced($0, by: scalar) }, &canEnd)
            guard !next.isEmpty || canEnd else { return false }
        }
        return canEnd
    }

    private mutating func add(_ expression: Grammar.Expression) -> Int {
        let part: Part =
            switch expression {
            case .text(let text): .text(Array(text.unicodeScalars))
            case .character(let characters): .character(characters)
            case .rule(let name): .rule(name)
            case .sequence(let parts): .sequence(parts.map { self.add($0) })
            case .choice(let parts): .choice(parts.map { self.add($0) })
            case .repeated(let part, let from, let to): .repeated(self.add(part), from: from, to: to)
            }
        self.parts.append(part)
        return self.parts.count - 1
    }

    /// The ways that begin with a character, as far as these lead to some; `canEnd`: whether one leads to the end.
    private mutating func settled(_ starts: [Way?], _ canEnd: inout Bool) -> Set<Way> {
        var found: Set<Way> = []
        var seen: Set<Way> = []
        var waiting = starts
        while let last = waiting.popLast() {
            guard let way = last else {
                canEnd = true
                continue
            }
            guard seen.insert(way).inserted else { continue }
            if self.isAtCharacter(way) { found.insert(way) } else { waiting += self.opened(way) }
        }
        self.mostWays = max(self.mostWays, found.count)
        return found
    }

    private func isAtCharacter(_ way: Way) -> Bool {
        switch self.parts[way.part] {
        case .text(let scalars): way.done < scalars.count
        case .character: true
        case .rule, .sequence, .choice, .repeated: false
        }
    }

    /// The ways within one that is at no character.
    private mutating func opened(_ way: Way) -> [Way?] {
        let rest = way.after.map { self.ways[$0] }
        switch self.parts[way.part] {
        case .text, .character: return [rest]
        case .rule(let name): return self.rules[name].map { [Way(part: $0, after: way.after)] } ?? []
        case .choice(let parts): return parts.map { Way(part: $0, after: way.after) }
        case .sequence(let parts):
            guard way.done < parts.count else { return [rest] }
            let isLast = way.done == parts.count - 1
            return [Way(part: parts[way.done], after: isLast ? way.after : self.number(ofNext: way))]
        case .repeated(let part, let from, let to):
            // Past what must come, an endless repetition need not be counted.
            let counted = to == nil ? min(way.done, from) : way.done
            var open: [Way?] = way.done >= from ? [rest] : []
            if to.map({ way.done < $0 }) ?? true {
                let again = Way(part: way.part, done: counted, after: way.after)
                open.append(Way(part: part, after: self.number(ofNext: again)))
            }
            return open
        }
    }

    /// The way behind a character; nil where it is another. At the end of the text, nil within.
    private func advanced(_ way: Way, by scalar: Unicode.Scalar) -> Way?? {
        let rest = way.after.map { self.ways[$0] }
        switch self.parts[way.part] {
        case .text(let scalars):
            guard scalars[way.done] == scalar else { return nil }
            guard way.done + 1 < scalars.count else { return .some(rest) }
            return Way(part: way.part, done: way.done + 1, after: way.after)
        case .character(let characters):
            let isListed = characters.ranges.contains { $0.contains(scalar) }
            return isListed != characters.isNegated ? .some(rest) : nil
        case .rule, .sequence, .choice, .repeated: return nil
        }
    }

    /// The place of what follows once one more part is done.
    private mutating func number(ofNext way: Way) -> Int {
        var way = way
        way.done += 1
        if let number = self.numbers[way] { return number }
        self.ways.append(way)
        self.numbers[way] = self.ways.count - 1
        return self.ways.count - 1
    }
}
