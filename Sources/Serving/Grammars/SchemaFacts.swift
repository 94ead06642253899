internal import Schema

/// What a list of rules without alternatives says of a value, put together by the value's type.
struct SchemaFacts: Sendable {
    enum ValueType: String, Sendable, CaseIterable {
        case object
        case array
        case string
        case number
        case integer
        case boolean
        case null
    }

    /// How many there may be; `to` nil: any number.
    struct Count: Sendable, Hashable {
        var from = 0
        var to: Int?

        /// Whether any number will do.
        var isFree: Bool { self.from == 0 && self.to == nil }
    }

    private struct Bound: Sendable {
        var value: Double
        var isIncluded: Bool
    }

    typealias Rule = JSONSchema.Rule

    /// The types that the value may have; `integer` only where `number` is not.
    private(set) var types: [ValueType] = []
    private(set) var characters = Count()
    private(set) var elements = Count()
    private(set) var members = Count()
    /// The rules of every element.
    private(set) var items: [Rule] = []
    private(set) var required: [String] = []
    private var requiredNames: Set<String> = []
    /// The rules of members that are not among some names.
    private(set) var others: [(rules: [Rule], named: Set<String>)] = []
    /// Keywords that no grammar enforces.
    private(set) var unenforced: Set<String> = []
    private var properties: [String: [Rule]] = [:]
    private var low: Bound?
    private var high: Bound?

    /// - Parameter rules: flattened, without alternatives.
    init(_ rules: [Rule]) {
        var allowed: [Set<ValueType>] = []
        for rule in rules {
            if case .types(let names) = rule { allowed.append(Set(names.compactMap(ValueType.init(rawValue:)))) }
            self.adopt(rule)
        }
        let isImpossible = rules.contains(.never)
        self.types = isImpossible ? [] : ValueType.allCases.filter { SchemaFacts.allows($0, allowed) }
        self.settleUnenforced(rules)
    }

    /// The names of all members that the rules speak of: the required ones first.
    var memberNames: [String] {
        self.required + self.optional
    }

    /// The names of the members that need not be there, sorted.
    var optional: [String] { self.properties.keys.filter { !self.requiredNames.contains($0) }.sorted() }

    /// What holds of a member; nil: of one that is not named.
    func rules(ofMember name: String?) -> [Rule] {
        var rules = name.flatMap { self.properties[$0] } ?? []
        for other in self.others where name.map({ !other.named.contains($0) }) ?? true { rules += other.rules }
        return rules
    }

    /// Whether any number will do.
    var isUnboundedNumber: Bool { self.low == nil && self.high == nil }

    /// The whole numbers between the bounds.
    var integers: Grammar.Expression {
        Grammar.integers(
            from: self.low.map {
                SchemaFacts.whole($0.isIncluded ? $0.value.rounded(.up) : $0.value.rounded(.down) + 1)
            },
            to: self.high.map { SchemaFacts.whole($0.isIncluded ? $0.value.rounded(.down) : $0.value.rounded(.up) - 1) }
        )
    }

    /// The numbers between the bounds; all numbers where a grammar cannot say so.
    var numbers: Grammar.Expression { self.boundedNumbers ?? .rule(Grammar.JSON.number) }

    private var boundedNumbers: Grammar.Expression? {
        Grammar.numbers(
            from: self.low?.value,
            isLowIncluded: self.low?.isIncluded ?? true,
            to: self.high?.value,
            isHighIncluded: self.high?.isIncluded ?? true
        )
    }

    private static func whole(_ number: Double) -> Int64 {
        Int64(min(max(number, -1e17), 1e17))
    }

    private static func allows(_ type: ValueType, _ allowed: [Set<ValueType>]) -> Bool {
        switch type {
        case .integer:
            // Where all numbers are allowed, whole ones are among them.
            allowed.allSatisfy { $0.contains(.integer) || $0.contains(.number) }
                && !allowed.allSatisfy { $0.contains(.number) }
        case .object, .array, .string, .number, .boolean, .null: allowed.allSatisfy { $0.contains(type) }
        }
    }

    private mutating func adopt(_ rule: Rule) {
        switch rule {
        case .properties(let schemas):
            for (name, schema) in schemas { self.properties[name, default: []] += schema.rules }
        case .required(let names):
            for name in names where self.requiredNames.insert(name).inserted { self.required.append(name) }
        case .others(let schema, let named): self.others.append((schema.rules, named))
        case .items(let schema): self.items += schema.rules
        case .count(let rule):
            switch rule.subject {
            case .characters: self.characters.narrow(by: rule)
            case .elements: self.elements.narrow(by: rule)
            case .members: self.members.narrow(by: rule)
            }
        case .number(let rule): self.narrow(by: rule)
        case .never, .types, .oneOfValues, .uniqueItems, .pattern, .anyOf, .oneOf, .allOf, .not, .reference: break
        }
    }

    private mutating func narrow(by rule: JSONSchema.NumberRule) {
        let isIncluded = rule.relation == .atLeast || rule.relation == .atMost
        let bound = Bound(value: rule.operand, isIncluded: isIncluded)
        switch rule.relation {
        case .atLeast, .above:
            if let low = self.low, (low.value, low.isIncluded ? 0 : 1) >= (bound.value, isIncluded ? 0 : 1) { return }
            self.low = bound
        case .atMost, .below:
            if let high = self.high, (high.value, high.isIncluded ? 1 : 0) <= (bound.value, isIncluded ? 1 : 0) {
                return
            }
            self.high = bound
        case .multipleOf: break
        }
    }

    /// Notes what is left to the check, of the types that the value may have.
    private mutating func settleUnenforced(_ rules: [Rule]) {
        let types = Set(self.types)
        for rule in rules {
            switch rule {
            case .pattern: if types.contains(.string) { self.unenforced.insert("pattern") }
            case .uniqueItems: if types.contains(.array) { self.unenforced.insert("uniqueItems") }
            case .not: self.unenforced.insert("not")
            case .number(let rule) where rule.relation == .multipleOf:
                if types.contains(.number) || types.contains(.integer) { self.unenforced.insert("multipleOf") }
            case .never, .types, .oneOfValues, .properties, .required, .others, .items, .count, .number, .anyOf, .oneOf,
                .allOf, .reference:
                break
            }
        }
        if types.contains(.string), self.characters.settle() { self.unenforced.formUnion(["minLength", "maxLength"]) }
        if types.contains(.array), self.elements.settle() { self.unenforced.formUnion(["minItems", "maxItems"]) }
        if types.contains(.number), !self.isUnboundedNumber, self.boundedNumbers == nil {
            self.unenforced.formUnion(["minimum", "maximum"])
        }
        guard types.contains(.object), !self.members.isFree else { return }
        // Members that are named are not counted by a grammar, only those of free objects are.
        let isKept = self.members.from <= self.required.count && (self.members.to ?? .max) >= self.memberNames.count
        if self.memberNames.isEmpty ? self.members.settle() : !isKept {
            self.unenforced.formUnion(["minProperties", "maxProperties"])
        }
    }
}

extension SchemaFacts.Count {
    fileprivate mutating func narrow(by rule: JSONSchema.CountRule) {
        if rule.isUpper {
            self.to = min(self.to ?? .max, rule.bound)
        } else {
            self.from = max(self.from, rule.bound)
        }
    }

    /// Drops bounds that are too high to be counted. Returns whether there were any.
    fileprivate mutating func settle() -> Bool {
        guard max(self.from, self.to ?? 0) > SchemaGrammar.highestCount else { return false }
        self.from = min(self.from, SchemaGrammar.highestCount)
        if let to, to > SchemaGrammar.highestCount { self.to = nil }
        return true
    }
}
