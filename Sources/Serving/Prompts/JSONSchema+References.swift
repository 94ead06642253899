internal import Schema

extension JSONSchema {
    /// Compiles what references lead to, and what those refer to. Throws `SchemaUnsupported` for one that leads nowhere,
    /// out of the schema, or only back to itself.
    mutating func resolveReferences(in schema: JSONValue) throws(MartletError) {
        var unresolved = JSONSchema.references(of: self.rules, deeply: true)
        while let reference = unresolved.popFirst() {
            guard self.definitions[reference] == nil else { continue }
            guard let target = JSONSchema.target(of: reference, in: schema) else {
                throw JSONSchema.refusal(
                    "the schema",
                    "refers to '\(reference)', which is no part of it; a reference is '#' and a JSON pointer"
                )
            }
            let definition = try JSONSchema(target, at: reference)
            self.definitions[reference] = definition
            unresolved.formUnion(JSONSchema.references(of: definition.rules, deeply: true))
        }
        for reference in self.definitions.keys.sorted() { try self.requireProgress(from: reference) }
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
    private func requireProgress(from start: String) throws(MartletError) {
        var seen: Set<String> = []
        var waiting = JSONSchema.references(of: self.definitions[start]?.rules ?? [], deeply: false)
        while let reference = waiting.popFirst() {
            guard reference != start else {
                throw JSONSchema.refusal("the schema", "refers from '\(start)' only back to itself")
            }
            guard seen.insert(reference).inserted else { continue }
            waiting.formUnion(JSONSchema.references(of: self.definitions[reference]?.rules ?? [], deeply: false))
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

    /// What `#`, or `#` and a JSON pointer (RFC 6901), leads to.
    private static func target(of reference: String, in schema: JSONValue) -> JSONValue? {
        if reference == "#" { return schema }
        guard reference.hasPrefix("#/") else { return nil }
        var place: JSONValue? = schema
        for token in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let name = String(token.replacing("~1", with: "/").replacing("~0", with: "~"))
            switch place {
            case .object(let members): place = members[name]
            case .array(let elements):
                place = Int(name).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
            case .null, .bool, .integer, .number, .string, nil: return nil
            }
        }
        return place
    }
}
