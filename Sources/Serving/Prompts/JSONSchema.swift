internal import Schema

/// A JSON Schema (draft 2020-12), compiled once and checked often.
///
/// It knows the keywords of ``JSONSchemaKeyword``. Annotations are passed over; any other keyword is refused, since a
/// rule that is ignored looks like one that holds. Manifests are checked by the same list when they are read.
struct JSONSchema: Sendable, Hashable {
    indirect enum Rule: Sendable, Hashable {
        case never
        case types([String])
        case oneOfValues([JSONValue])
        case properties([String: JSONSchema])
        case required([String])
        /// Of members that `properties` does not name.
        case others(JSONSchema, named: Set<String>)
        case items(JSONSchema)
        case uniqueItems
        case count(CountRule)
        case pattern(String)
        case number(NumberRule)
        case anyOf([JSONSchema])
        case oneOf([JSONSchema])
        case allOf([JSONSchema])
        case not(JSONSchema)
        /// Another part of the schema, by its `$ref`; the whole schema's ``definitions`` have it.
        case reference(String)
    }

    /// A bound on how many members, elements or characters there are.
    struct CountRule: Sendable, Hashable {
        enum Subject: Sendable, Hashable { case members, elements, characters }

        var subject: Subject
        var isUpper: Bool
        var bound: Int
    }

    /// A bound on a number.
    struct NumberRule: Sendable, Hashable {
        enum Relation: Sendable, Hashable { case atLeast, atMost, above, below, multipleOf }

        var relation: Relation
        var operand: Double
    }

    let rules: [Rule]
    /// What references anywhere in a whole schema lead to, by their `$ref`; its parts have none.
    var definitions: [String: JSONSchema] = [:]

    /// Compiles a schema. Throws `SchemaUnsupported` with the place and the keyword.
    ///
    /// - Parameter mostValues: the most JSON values that the schema and all that it refers to may consist of together.
    init(_ schema: JSONValue, mostValues: Int = .max) throws(MartletError) {
        try self.init(schema, at: "the schema")
        try self.resolveReferences(in: schema, mostValues: mostValues)
    }

    /// A part of another schema.
    init(rules: [Rule]) {
        self.rules = rules
    }

    init(_ schema: JSONValue, at place: String) throws(MartletError) {
        switch schema {
        case .bool(true): self.rules = []
        case .bool(false): self.rules = [.never]
        case .object(let members):
            var rules: [Rule] = []
            for (keyword, value) in members.sorted(by: { $0.key < $1.key }) {
                if let rule = try JSONSchema.rule(keyword, value, of: members, at: place) { rules.append(rule) }
            }
            self.rules = rules
        case .null, .integer, .number, .string, .array:
            throw JSONSchema.refusal(place, "must be an object or a boolean")
        }
    }

    private static func rule(
        _ keyword: String,
        _ value: JSONValue,
        of members: [String: JSONValue],
        at place: String
    ) throws(MartletError) -> Rule? {
        guard let known = JSONSchemaKeyword(rawValue: keyword) else {
            if JSONSchemaKeyword.annotations.contains(keyword) { return nil }
            throw self.refusal(place, "has the keyword '\(keyword)', which is not supported")
        }
        switch known {
        case .type: return .types(try self.typeNames(value, at: place))
        case .enum: return .oneOfValues(try self.list(value, keyword, at: place))
        case .const: return .oneOfValues([value])
        case .properties: return .properties(try self.schemas(value, keyword, at: place))
        case .required: return .required(try self.names(value, keyword, at: place))
        case .additionalProperties:
            let named = Set(members["properties"]?.object?.keys.map { $0 } ?? [])
            return .others(try JSONSchema(value, at: "\(place).\(keyword)"), named: named)
        case .items: return .items(try JSONSchema(value, at: "\(place).items"))
        case .uniqueItems: return value == .bool(true) ? .uniqueItems : nil
        case .minProperties: return .count(try self.count(value, keyword, .members, isUpper: false, at: place))
        case .maxProperties: return .count(try self.count(value, keyword, .members, isUpper: true, at: place))
        case .minItems: return .count(try self.count(value, keyword, .elements, isUpper: false, at: place))
        case .maxItems: return .count(try self.count(value, keyword, .elements, isUpper: true, at: place))
        case .minLength: return .count(try self.count(value, keyword, .characters, isUpper: false, at: place))
        case .maxLength: return .count(try self.count(value, keyword, .characters, isUpper: true, at: place))
        case .pattern: return .pattern(try self.pattern(value, at: place))
        case .minimum: return .number(try self.number(value, keyword, .atLeast, at: place))
        case .maximum: return .number(try self.number(value, keyword, .atMost, at: place))
        case .exclusiveMinimum: return .number(try self.number(value, keyword, .above, at: place))
        case .exclusiveMaximum: return .number(try self.number(value, keyword, .below, at: place))
        case .multipleOf: return .number(try self.number(value, keyword, .multipleOf, at: place))
        case .anyOf: return .anyOf(try self.schemaList(value, keyword, at: place))
        case .oneOf: return .oneOf(try self.schemaList(value, keyword, at: place))
        case .allOf: return .allOf(try self.schemaList(value, keyword, at: place))
        case .not: return .not(try JSONSchema(value, at: "\(place).not"))
        case .reference:
            guard let pointer = value.string else { throw self.refusal("\(place).$ref", "must be a text") }
            return .reference(pointer)
        }
    }

    private static func typeNames(_ value: JSONValue, at place: String) throws(MartletError) -> [String] {
        let known: Set<String> = ["null", "boolean", "integer", "number", "string", "array", "object"]
        let names = value.string.map { [$0] } ?? value.array?.compactMap(\.string) ?? []
        guard !names.isEmpty, names.allSatisfy({ known.contains($0) }) else {
            throw self.refusal("\(place).type", "must be one or more of \(known.sorted().joined(separator: ", "))")
        }
        return names
    }

    private static func list(
        _ value: JSONValue,
        _ keyword: String,
        at place: String
    ) throws(MartletError) -> [JSONValue] {
        guard let elements = value.array else { throw self.refusal("\(place).\(keyword)", "must be a list") }
        return elements
    }

    private static func names(
        _ value: JSONValue,
        _ keyword: String,
        at place: String
    ) throws(MartletError) -> [String] {
        let elements = try self.list(value, keyword, at: place)
        let names = elements.compactMap(\.string)
        guard names.count == elements.count else {
            throw self.refusal("\(place).\(keyword)", "must be a list of names")
        }
        return names
    }

    private static func schemas(
        _ value: JSONValue,
        _ keyword: String,
        at place: String
    ) throws(MartletError) -> [String: JSONSchema] {
        guard let members = value.object else { throw self.refusal("\(place).\(keyword)", "must be an object") }
        var schemas: [String: JSONSchema] = [:]
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            schemas[name] = try JSONSchema(member, at: "\(place).\(keyword).\(name)")
        }
        return schemas
    }

    private static func schemaList(
        _ value: JSONValue,
        _ keyword: String,
        at place: String
    ) throws(MartletError) -> [JSONSchema] {
        let elements = try self.list(value, keyword, at: place)
        guard !elements.isEmpty else { throw self.refusal("\(place).\(keyword)", "must not be empty") }
        var schemas: [JSONSchema] = []
        for (index, element) in elements.enumerated() {
            schemas.append(try JSONSchema(element, at: "\(place).\(keyword)[\(index)]"))
        }
        return schemas
    }

    private static func count(
        _ value: JSONValue,
        _ keyword: String,
        _ subject: CountRule.Subject,
        isUpper: Bool,
        at place: String
    ) throws(MartletError) -> CountRule {
        guard let number = value.double, let bound = Int(exactly: number), bound >= 0 else {
            throw self.refusal("\(place).\(keyword)", "must be a whole number, 0 or more")
        }
        return CountRule(subject: subject, isUpper: isUpper, bound: bound)
    }

    private static func number(
        _ value: JSONValue,
        _ keyword: String,
        _ relation: NumberRule.Relation,
        at place: String
    ) throws(MartletError) -> NumberRule {
        guard let operand = value.double, relation != .multipleOf || operand > 0 else {
            throw self.refusal("\(place).\(keyword)", "must be a number, and above 0 for multipleOf")
        }
        return NumberRule(relation: relation, operand: operand)
    }

    private static func pattern(_ value: JSONValue, at place: String) throws(MartletError) -> String {
        guard let text = value.string, (try? Regex(text)) != nil else {
            throw self.refusal("\(place).pattern", "is no regular expression")
        }
        return text
    }

    static func refusal(_ place: String, _ problem: String) -> MartletError {
        MartletError("SchemaUnsupported", "\(place) \(problem)")
    }
}

extension JSONValue {
    /// The number in this value, if it is one.
    var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }
}
