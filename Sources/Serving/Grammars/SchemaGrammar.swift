internal import Schema

/// The grammar of the JSON texts that fit a schema.
///
/// Members stand in one order: the required ones as `required` lists them, then the others by name. Where a schema
/// names members, no others are written. What no grammar can say (`pattern`, `uniqueItems`, `not`, …) is left out and
/// reported in ``approximations``: a text of the grammar then still has to be checked.
struct SchemaGrammar: Sendable {
    /// All rules but `root`, which is for whoever puts the schema's texts into an answer.
    private(set) var grammar = Grammar()
    /// The keywords that the grammar does not enforce, sorted.
    private(set) var approximations: [String] = []

    /// The most characters or elements that are counted; a higher bound is left to the check.
    static let highestCount = 1000
    private static let deepest = 64

    /// What building the grammar may still cost.
    private(set) var budget: Budget

    private let prefix: String
    private var schema = JSONSchema(rules: [])
    /// Names of rules by what they stand for.
    private var names: [[JSONSchema.Rule]: String] = [:]

    /// - Parameters:
    ///   - prefix: begins the names of all rules that are not the shared ones of JSON.
    ///   - budget: what other parts of the same grammar have left.
    init(prefix: String = "s", budget: Budget = Budget()) {
        self.prefix = prefix
        self.budget = budget
        self.grammar.rules = Grammar.json
    }

    /// The grammar whose texts are the values that fit a schema. Throws `SchemaUnsupported` when there are none that
    /// could be written, or when the grammar would be too large.
    static func grammar(
        of schema: JSONSchema
    ) throws(MartletError) -> (grammar: Grammar, approximations: [String]) {
        var builder = SchemaGrammar()
        builder.grammar.rules[Grammar.root] = try builder.add(schema)
        return (try builder.grammar.checked(), builder.approximations)
    }

    /// Adds the rules of a schema; what is returned derives its texts. Throws `SchemaUnsupported` where it would be too
    /// much, with the place in the values.
    mutating func add(_ schema: JSONSchema) throws(MartletError) -> Grammar.Expression {
        self.schema = schema
        self.names = [:]
        return try self.rule(schema.rules, at: Place())
    }

    private typealias Rule = JSONSchema.Rule
    private typealias Expression = Grammar.Expression

    /// A rule for the values that fit all of some rules; the same for the same ones, so that schemas may refer to
    /// themselves.
    private mutating func rule(_ rules: [Rule], at place: Place) throws(MartletError) -> Expression {
        try self.budget.spend(rules.cost, at: place)
        if let name = self.names[rules] { return .rule(name) }
        guard place.depth < Self.deepest else { throw MartletError.grammarTooLarge(at: place) }
        let name = try self.addRule(.nothing, at: place)
        self.names[rules] = name
        let flattened = self.schema.flattened(rules)
        try self.budget.spend(flattened.cost, at: place)
        let expression = try self.expression(flattened, at: place)
        try self.budget.take(expression.size, at: place)
        self.grammar.rules[name] = expression
        return .rule(name)
    }

    /// Adds a rule, and gives its name.
    private mutating func addRule(_ expression: Expression, at place: Place) throws(MartletError) -> String {
        try self.budget.take(expression.size, at: place)
        let name = "\(self.prefix)\(self.grammar.rules.count)"
        self.grammar.rules[name] = expression
        return name
    }

    private mutating func expression(_ rules: [Rule], at place: Place) throws(MartletError) -> Expression {
        if let choices = try self.choices(rules, at: place) { return .any(choices.map { .text($0.canonicalJSON) }) }
        if let index = rules.firstIndex(where: \.isAlternative) {
            return try self.alternatives(at: index, of: rules, place)
        }
        let facts = SchemaFacts(rules)
        self.approximations = Set(self.approximations).union(facts.unenforced).sorted()
        var parts: [Expression] = []
        for type in facts.types { parts.append(try self.values(type, facts, at: place)) }
        return .any(parts)
    }

    /// The values of `enum` and `const`, as far as they fit all other rules; nil where neither stands.
    private mutating func choices(_ rules: [Rule], at place: Place) throws(MartletError) -> [JSONValue]? {
        for (index, rule) in rules.enumerated() {
            guard case .oneOfValues(let choices) = rule else { continue }
            var others = rules
            others.remove(at: index)
            try self.budget.spend(choices.count * others.cost, at: place)
            var rest = JSONSchema(rules: others)
            rest.definitions = self.schema.definitions
            return choices.filter { rest.problems(in: $0).isEmpty }
        }
        return nil
    }

    /// Spreads the other rules over the alternatives of an `anyOf` or `oneOf`.
    private mutating func alternatives(
        at index: Int,
        of rules: [Rule],
        _ place: Place
    ) throws(MartletError) -> Expression {
        let schemas: [JSONSchema]
        switch rules[index] {
        case .anyOf(let found): schemas = found
        case .oneOf(let found):
            schemas = found
            if found.count > 1 { self.approximations = Set(self.approximations).union(["oneOf"]).sorted() }
        case .never, .types, .oneOfValues, .properties, .required, .others, .items, .uniqueItems, .count, .pattern,
            .number, .allOf, .not, .reference:
            return .nothing
        }
        var rest = rules
        rest.remove(at: index)
        var parts: [Expression] = []
        for schema in schemas { parts.append(try self.rule(schema.rules + rest, at: place.deeper)) }
        return .any(parts)
    }

    private mutating func values(
        _ type: SchemaFacts.ValueType,
        _ facts: SchemaFacts,
        at place: Place
    ) throws(MartletError) -> Expression {
        switch type {
        case .null: return .text("null")
        case .boolean: return .any([.text("true"), .text("false")])
        case .integer: return facts.isUnboundedNumber ? .rule(Grammar.JSON.integer) : facts.integers
        case .number: return facts.isUnboundedNumber ? .rule(Grammar.JSON.number) : facts.numbers
        case .string:
            return facts.characters.isFree
                ? .rule(Grammar.JSON.string)
                : Grammar.string(from: facts.characters.from, to: facts.characters.to)
        case .array:
            if facts.items.isEmpty, facts.elements.isFree { return .rule(Grammar.JSON.array) }
            let element = try self.member(facts.items, at: place.inside("[]"))
            return Grammar.list("[", element, "]", from: facts.elements.from, to: facts.elements.to)
        case .object: return try self.objects(facts, at: place)
        }
    }

    /// A value of which these rules are known.
    private mutating func member(_ rules: [Rule], at place: Place) throws(MartletError) -> Expression {
        rules.isEmpty ? .rule(Grammar.JSON.value) : try self.rule(rules, at: place)
    }

    private mutating func objects(_ facts: SchemaFacts, at place: Place) throws(MartletError) -> Expression {
        if facts.memberNames.isEmpty {
            if facts.others.isEmpty, facts.members.isFree { return .rule(Grammar.JSON.object) }
            let value = try self.member(facts.rules(ofMember: nil), at: place.inside(".*"))
            let member = Expression.all(.rule(Grammar.JSON.string), .text(":"), .rule(Grammar.JSON.space), value)
            return Grammar.list("{", member, "}", from: facts.members.from, to: facts.members.to)
        }
        var required: [Expression] = []
        for name in facts.required { required.append(try self.member(name, of: facts, at: place)) }
        var optional: [Expression] = []
        for name in facts.optional { optional.append(try self.member(name, of: facts, at: place)) }
        return try self.object(required: required, optional: optional.filter { $0 != .nothing }, at: place)
    }

    private mutating func member(
        _ name: String,
        of facts: SchemaFacts,
        at place: Place
    ) throws(MartletError) -> Expression {
        let value = try self.member(facts.rules(ofMember: name), at: place.inside(".\(name)"))
        return .all(.text(JSONValue.string(name).canonicalJSON + ":"), .rule(Grammar.JSON.space), value)
    }

    /// Required members, then any of the optional ones, in order.
    private mutating func object(
        required: [Expression],
        optional: [Expression],
        at place: Place
    ) throws(MartletError) -> Expression {
        let space = Expression.rule(Grammar.JSON.space)
        let comma = Expression.all(.text(","), space)
        // `tails[i]` derives any of the optional members from the i-th on, each after a comma.
        var tail = Expression.text("")
        var first: [Expression] = []
        for member in optional.reversed() {
            first.append(.all(member, tail))
            tail = .rule(try self.addRule(.all(.optional(.all(comma, member)), tail), at: place))
        }
        let body: Expression
        if required.isEmpty {
            body = first.isEmpty ? .text("") : .optional(.any(first.reversed()))
        } else {
            let members = required.enumerated().flatMap { $0.offset == 0 ? [$0.element] : [comma, $0.element] }
            body = .all(members + [tail])
        }
        return .all(.text("{"), space, body, space, .text("}"))
    }
}

extension Grammar {
    /// The grammar, pruned. Throws `SchemaUnsupported` when it derives nothing, or is too large.
    func checked() throws(MartletError) -> Grammar {
        guard self.size <= Grammar.maximumSize else {
            throw MartletError.grammarTooLarge(at: SchemaGrammar.Place())
        }
        guard let grammar = self.pruned() else {
            throw MartletError("SchemaUnsupported", "no value that could be written fits the schema")
        }
        return grammar
    }
}

extension JSONSchema.Rule {
    /// Whether the rule offers schemas to choose from.
    fileprivate var isAlternative: Bool {
        switch self {
        case .anyOf, .oneOf: true
        case .never, .types, .oneOfValues, .properties, .required, .others, .items, .uniqueItems, .count, .pattern,
            .number, .allOf, .not, .reference:
            false
        }
    }
}
