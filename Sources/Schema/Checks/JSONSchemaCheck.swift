/// Checks the JSON Schemas of requests and answers: a keyword that were passed over would look like a rule that holds.
enum JSONSchemaCheck {
    /// One finding for each keyword, at any depth, that nothing carries out.
    static func findings(_ schema: JSONValue?, at path: FieldPath) -> [Finding] {
        guard case .object(let members)? = schema else { return [] }
        return members.sorted { $0.key < $1.key }.flatMap { word, value -> [Finding] in
            let path = path.field(word)
            guard let keyword = JSONSchemaKeyword(rawValue: word) else {
                if ["$defs", "definitions"].contains(word) {
                    return (value.object ?? [:]).sorted { $0.key < $1.key }
                        .flatMap { JSONSchemaCheck.findings($0.value, at: path.field($0.key)) }
                }
                guard !JSONSchemaKeyword.annotations.contains(word) else { return [] }
                let hint = NearestWord.hint(for: word, among: JSONSchemaKeyword.allCases.map(\.rawValue))
                return [Finding(path, at: .key, "the JSON Schema keyword '\(word)' is not supported\(hint)")]
            }
            switch keyword {
            case .properties:
                return (value.object ?? [:]).sorted { $0.key < $1.key }
                    .flatMap { JSONSchemaCheck.findings($0.value, at: path.field($0.key)) }
            case .anyOf, .oneOf, .allOf:
                return (value.array ?? []).enumerated()
                    .flatMap { JSONSchemaCheck.findings($0.element, at: path.item($0.offset)) }
            case .additionalProperties, .items, .not:
                return JSONSchemaCheck.findings(value, at: path)
            case .multipleOf:
                switch value {
                case .integer(...0): return [Finding(path, "multipleOf must be above 0")]
                case .number(let number) where number <= 0: return [Finding(path, "multipleOf must be above 0")]
                case .null, .bool, .integer, .number, .string, .array, .object: return []
                }
            case .reference:
                guard value.string?.hasPrefix("#") != true else { return [] }
                return [Finding(path, "$ref must name a part of this schema: '#' and a JSON pointer")]
            case .type, .enum, .const, .required, .minProperties, .maxProperties, .minItems, .maxItems, .uniqueItems,
                .minLength, .maxLength, .pattern, .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum:
                return []
            }
        }
    }
}
