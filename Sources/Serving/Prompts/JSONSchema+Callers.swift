internal import Schema

extension JSONSchema {
    /// Compiles a schema that a caller sends. Throws `SchemaUnsupported`, and `UnsupportedParameter` for a `pattern`: a
    /// regular expression can be such that a text takes it longer than any request may, and nothing could end that.
    init(fromCaller schema: JSONValue) throws(MartletError) {
        try self.init(schema)
        guard !self.hasPattern else {
            throw MartletError(
                "UnsupportedParameter",
                "the schema has the keyword 'pattern', which is not supported in requests"
            )
        }
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
