/// A context-free grammar of texts, which engines obey in the notation GBNF.
struct Grammar: Sendable, Hashable {
    /// What a rule, or a part of one, derives.
    indirect enum Expression: Sendable, Hashable {
        case text(String)
        case character(CharacterClass)
        case rule(String)
        case sequence([Expression])
        /// One of these; none at all derives nothing, not even the empty text.
        case choice([Expression])
        /// `to` nil: as often as you like.
        case repeated(Expression, from: Int, to: Int?)
    }

    /// One code point: one of these, or one of all others.
    struct CharacterClass: Sendable, Hashable {
        var ranges: [ClosedRange<Unicode.Scalar>]
        var isNegated = false
    }

    /// What one text of the grammar is.
    static let root = "root"
    /// The most parts of a grammar, with what is repeated counted as often as it may come: an engine keeps each in
    /// memory, and looks at many for every token.
    static let maximumSize = 50_000

    /// By name: letters, digits and hyphens.
    var rules: [String: Expression] = [:]

    /// The parts of all rules together.
    var size: Int { self.rules.values.reduce(0) { $0 + $1.size } }
}

extension Grammar.Expression {
    /// Derives nothing.
    static let nothing = Self.choice([])

    /// One character of some, as in GBNF: `set("a"..."z", "_"..."_")`.
    static func set(_ ranges: ClosedRange<Unicode.Scalar>...) -> Self {
        .character(Grammar.CharacterClass(ranges: ranges))
    }

    /// One character but some.
    static func others(than ranges: ClosedRange<Unicode.Scalar>...) -> Self {
        .character(Grammar.CharacterClass(ranges: ranges, isNegated: true))
    }

    /// The expression or nothing at all.
    static func optional(_ expression: Self) -> Self {
        .repeated(expression, from: 0, to: 1)
    }

    /// One after the other; derives nothing where a part does.
    static func all(_ parts: Self...) -> Self { .all(parts) }

    /// One after the other; derives nothing where a part does.
    static func all(_ parts: [Self]) -> Self {
        if parts.contains(.nothing) { return .nothing }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    /// One of these, each once, without those that derive nothing.
    static func any(_ parts: [Self]) -> Self {
        var seen: Set<Self> = []
        let rest = parts.filter { $0 != .nothing && seen.insert($0).inserted }
        return rest.count == 1 ? rest[0] : .choice(rest)
    }

    /// The parts of the expression.
    var size: Int {
        switch self {
        case .text, .character, .rule: 1
        case .sequence(let parts), .choice(let parts): parts.reduce(1) { $0 + $1.size }
        case .repeated(let part, let from, let to): 1 + part.size * max(1, to ?? from + 1)
        }
    }
}

extension Grammar {
    /// The grammar without the rules, and the parts of rules, from which no text can ever be derived; and without rules
    /// that `root` does not reach. Nil when `root` itself derives no text.
    func pruned() -> Grammar? {
        var productive: Set<String> = []
        var users: [String: [String]] = [:]
        for (name, rule) in self.rules { for used in Set(rule.ruleNames) { users[used, default: []].append(name) } }
        // A rule is looked at again only when one that it names turned out to be productive.
        var unsettled = Array(self.rules.keys)
        while let name = unsettled.popLast() {
            guard !productive.contains(name), self.rules[name]?.derives(with: productive) == true else { continue }
            productive.insert(name)
            unsettled += users[name] ?? []
        }
        guard productive.contains(Grammar.root) else { return nil }
        var pruned = Grammar()
        var waiting = [Grammar.root]
        while let name = waiting.popLast() {
            guard pruned.rules[name] == nil, let rule = self.rules[name] else { continue }
            let rest = rule.kept(with: productive)
            pruned.rules[name] = rest
            waiting += rest.ruleNames
        }
        return pruned
    }
}

extension Grammar.Expression {
    /// Whether a text can be derived when only these rules derive any.
    fileprivate func derives(with productive: Set<String>) -> Bool {
        switch self {
        case .text, .character: true
        case .rule(let name): productive.contains(name)
        case .sequence(let parts): parts.allSatisfy { $0.derives(with: productive) }
        case .choice(let parts): parts.contains { $0.derives(with: productive) }
        case .repeated(let part, let from, _): from == 0 || part.derives(with: productive)
        }
    }

    /// What is left without the parts that derive nothing.
    fileprivate func kept(with productive: Set<String>) -> Self {
        switch self {
        case .text, .character, .rule: self
        case .sequence(let parts): .sequence(parts.map { $0.kept(with: productive) })
        case .choice(let parts):
            .any(parts.filter { $0.derives(with: productive) }.map { $0.kept(with: productive) })
        case .repeated(let part, let from, let to):
            part.derives(with: productive)
                ? .repeated(part.kept(with: productive), from: from, to: to) : .text("")
        }
    }

    /// The rules that the expression names.
    fileprivate var ruleNames: [String] {
        switch self {
        case .text, .character: []
        case .rule(let name): [name]
        case .sequence(let parts), .choice(let parts): parts.flatMap(\.ruleNames)
        case .repeated(let part, _, _): part.ruleNames
        }
    }
}
