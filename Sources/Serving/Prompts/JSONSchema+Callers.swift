internal import Schema

extension JSONSchema {
    /// The most JSON values of a schema that a caller sends, with all that it refers to: the work grows with them.
    static let mostCallerValues = 20_000
    /// The most values of one `enum`, and the most names in one `properties` or `required`, as at OpenAI.
    static let mostCallerChoices = 1000

    /// Compiles a schema that a caller sends. Throws `SchemaUnsupported`, also for one that is too large, and
    /// `UnsupportedParameter` for a `pattern`: a regular expression can be such that a text takes it longer than any
    /// request may, and nothing could end that.
    init(fromCaller schema: JSONValue) throws(MartletError) {
        guard schema.valueCount <= Self.mostCallerValues else {
            throw Self.refusal("the schema", "is too large: it has more than \(Self.mostCallerValues) values")
        }
        try Self.requireShortLists(in: schema, at: "the schema")
        try self.init(schema, mostValues: Self.mostCallerValues)
        guard !self.hasPattern else {
            throw MartletError(
                "UnsupportedParameter",
                "the schema has the keyword 'pattern', which is not supported in requests"
            )
        }
    }

    /// Throws for a list that is too long, with its place.
    private static func requireShortLists(in schema: JSONValue, at place: String) throws(MartletError) {
        for (keyword, value) in schema.object?.sorted(by: { $0.key < $1.key }) ?? [] {
            let place = "\(place).\(keyword)"
            let (elements, members) = (value.array ?? [], value.object ?? [:])
            switch keyword {
            case "enum", "required": try self.requireShort(elements.count, at: place)
            case "properties", "$defs", "definitions":
                if keyword == "properties" { try self.requireShort(members.count, at: place) }
                for (name, part) in members { try self.requireShortLists(in: part, at: "\(place).\(name)") }
            case "anyOf", "oneOf", "allOf":
                for (index, part) in elements.enumerated() {
                    try self.requireShortLists(in: part, at: "\(place)[\(index)]")
                }
            case "items", "additionalProperties", "not": try self.requireShortLists(in: value, at: place)
            default: break
            }
        }
    }

    private static func requireShort(_ count: Int, at place: String) throws(MartletError) {
        guard count > self.mostCallerChoices else { return }
        throw self.refusal(place, "has \(count) entries, and at most \(self.mostCallerChoices) are supported")
    }

    /// Whether a part of it, or of what it refers to, has a `pattern`.
    private var hasPattern: Bool {
        let isInRules = self.rules.contains { rule in
            switch rule {
            case .pattern: true
            case .properties(let schemas): schemas.values.contains(where: \.hasPattern)
            case .others(let schema, _), .items(let schema), .not(let schema): schema.hasPattern
            case .anyOf(let schemas), .oneOf(let schemas), .allOf(let schemas): schemas.contains(where: \.hasPattern)
            case .never, .types, .oneOfValues, .required, .uniqueItems, .count, .number, .reference: false
            }
        }
        return isInRules || self.definitions.values.contains(where: \.hasPattern)
    }
}
