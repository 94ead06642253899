internal import Schema

extension JSONSchema {
    /// Compiles what references lead to, and what those refer to. Throws `SchemaUnsupported` for one that leads nowhere,
    /// out of the schema, or only back to itself, and when they lead to too much together.
    mutating func resolveReferences(in schema: JSONValue, mostValues: Int) throws(MartletError) {
        var unresolved = JSONSchema.references(of: self.rules, deeply: true)
        var values = schema.valueCount
        while let reference = unresolved.popFirst() {
            guard self.definitions[reference] == nil else { continue }
            guard let target = JSONSchema.target(of: reference, in: schema) else {
                throw JSONSchema.refusal(
                    "the schema",
                    "refers to '\(reference)', which is no part of it; a reference is '#' and a JSON pointer"
                )
            }
            values += target.valueCount
            guard values <= mostValues else {
                throw JSONSchema.refusal(
                    "the schema",
                    "is too large: with all that it refers to, up to '\(reference)', it has more than \(mostValues) values"
                )
            }
            let definition = try JSONSchema(target, at: reference)
            self.definitions[reference] = definition
            unresolved.formUnion(JSONSchema.references(of: definition.rules, deeply: true))
        }
        try self.requireProgress()
    }

    /// The rules with references and `allOf` put in place, as one list; the first of equal ones only.
    func flattened(_ rules: [Rule]) -> [Rule] {
        var flat: [Rule] = []
        var seen: Set<Rule> = []
        var waiting = Array(rules.reversed())
        while let rule = waiting.popLast() {
            guard seen.insert(rule).inserted else { continue }
            switch rule {
            case .reference(let name): waiting += (self.definitions[name]?.rules ?? []).reversed()
            case .allOf(let schemas): waiting += schemas.flatMap(\.rules).reversed()
            case .never, .types, .oneOfValues, .properties, .required, .others, .items, .uniqueItems, .count, .pattern,
                .number, .anyOf, .oneOf, .not:
                flat.append(rule)
            }
        }
        return flat
    }

    /// Throws when a value would be checked by the same definition again and again.
    private func requireProgress() throws(MartletError) {
        // Depth first: what `path` holds is followed at the moment, each part for the one before it.
        var path: [String] = []
        var settled: Set<String> = []
        var waiting = self.definitions.keys.sorted()
        var isOnPath: Set<String> = []
        while let reference = waiting.last {
            if path.last == reference {
                path.removeLast()
                isOnPath.remove(reference)
                settled.insert(reference)
            }
            if settled.contains(reference) {
                waiting.removeLast()
                continue
            }
            path.append(reference)
            isOnPath.insert(reference)
            let next = JSONSchema.references(of: self.definitions[reference]?.rules ?? [], deeply: false)
            if let back = next.sorted().first(where: isOnPath.contains) {
                throw JSONSchema.refusal("the schema", "refers from '\(back)' only back to itself")
            }
            waiting += next.subtracting(settled)
        }
    }

    /// The references in rules; not `deeply`: only those that apply to the value itself, not to its parts.
    private static func references(of rules: [Rule], deeply: Bool) -> Set<String> {
        rules.reduce(into: []) { found, rule in
            let parts: [JSONSchema]
            switch rule {
            case .reference(let name):
                found.insert(name)
                return
            case .anyOf(let schemas), .oneOf(let schemas), .allOf(let schemas): parts = schemas
            case .not(let schema): parts = [schema]
            case .properties(let schemas): parts = deeply ? Array(schemas.values) : []
            case .others(let schema, _), .items(let schema): parts = deeply ? [schema] : []
            case .never, .types, .oneOfValues, .required, .uniqueItems, .count, .pattern, .number: return
            }
            for part in parts { found.formUnion(self.references(of: part.rules, deeply: deeply)) }
        }
    }

    /// What `#`, or `#` and a JSON pointer (RFC 6901), leads to. Each place has one spelling, so that nothing is compiled
    /// twice.
    private static func target(of reference: String, in schema: JSONValue) -> JSONValue? {
        if reference == "#" { return schema }
        guard reference.hasPrefix("#/") else { return nil }
        var place: JSONValue? = schema
        for token in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let name = String(token.replacing("~1", with: "/").replacing("~0", with: "~"))
            guard name.replacing("~", with: "~0").replacing("/", with: "~1") == token else { return nil }
            switch place {
            case .object(let members): place = members[name]
            case .array(let elements):
                guard let index = Int(name), String(index) == name, elements.indices.contains(index) else { return nil }
                place = elements[index]
            case .null, .bool, .integer, .number, .string, nil: return nil
            }
        }
        return place
    }
}

extension JSONValue {
    /// The values in this value, itself included.
    var valueCount: Int {
        switch self {
        case .null, .bool, .integer, .number, .string: 1
        case .array(let elements): elements.reduce(1) { $0 + $1.valueCount }
        case .object(let members): members.values.reduce(1) { $0 + $1.valueCount }
        }
    }
}
