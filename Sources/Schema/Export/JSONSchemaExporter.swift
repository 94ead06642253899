/// Writes the declarations of kinds as JSON Schema (draft 2020-12), for editors and for other programs.
///
/// What a schema cannot say (that a regular expression compiles, that a referenced resource exists) only the reader
/// checks; everything that it can say, it says exactly as the reader does.
package struct JSONSchemaExporter {
    package init() {}

    /// The schema of a whole document of one kind.
    package func schema(of kind: Kind) -> JSONValue {
        self.schema(of: kind.documentShape, title: kind.rawValue, summary: kind.summary)
    }

    /// The schema of the file of sources.
    package func schemaOfSources() -> JSONValue {
        self.schema(of: SourcesFile.shape, title: "Sources", summary: SourcesFile.summary)
    }

    private func schema(of document: ObjectShape, title: String, summary: String) -> JSONValue {
        var exporter = SchemaBuilder()
        var schema = exporter.schema(of: .object(document)).object ?? [:]
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["$id"] = .string("https://martlet.dev/schema/v1/\(title.lowercased()).json")
        schema["title"] = .string(title)
        schema["description"] = .string(summary)
        if !exporter.definitions.isEmpty { schema["$defs"] = .object(exporter.definitions) }
        return .object(schema)
    }

    /// The text of the file with the schema of one kind.
    package func file(of kind: Kind) -> String {
        self.schema(of: kind).prettyJSON + "\n"
    }

    /// The text of the file with the schema of the file of sources.
    package func fileOfSources() -> String {
        self.schemaOfSources().prettyJSON + "\n"
    }
}

/// Builds one schema and collects the shapes that it refers to by name.
private struct SchemaBuilder {
    var definitions: [String: JSONValue] = [:]

    mutating func schema(of shape: Shape) -> JSONValue {
        switch shape {
        case .text(let rule): return self.schema(of: rule)
        case .integer(let range): return self.schema(of: range)
        case .number(let range): return self.schema(of: range)
        case .boolean: return ["type": "boolean"]
        case .word(let words): return words.count == 1 ? ["const": .string(words[0])] : ["enum": .strings(words)]
        case .quantity(let quantity): return quantity.schema
        case .reference(let kind):
            let label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
            let description = "The name of \(kind.article) \(kind.rawValue), or namespace/name."
            return [
                "type": "string", "pattern": .string("^(\(label)/)?\(label)$"), "description": .string(description),
            ]
        case .secret: return self.schema(of: Shape.secretSource)
        case .object(let object): return self.schema(of: object)
        case .map(let keys, let values):
            var schema: [String: JSONValue] = ["type": "object", "additionalProperties": self.schema(of: values)]
            if keys.format?.pattern != nil { schema["propertyNames"] = self.schema(of: keys) }
            return .object(schema)
        case .list(let element, let count): return self.schema(of: element, count)
        case .either(let shapes):
            // A list must be built up one by one: the builder collects definitions on the way.
            var choices: [JSONValue] = []
            for shape in shapes { choices.append(self.schema(of: shape)) }
            return ["anyOf": .array(choices)]
        case .any, .expression: return [:]
        case .named(let name):
            if self.definitions[name.rawValue] == nil {
                self.definitions[name.rawValue] = .null
                self.definitions[name.rawValue] = self.schema(of: name.shape)
            }
            return ["$ref": .string("#/$defs/\(name.rawValue)")]
        }
    }

    private func schema(of rule: TextRule) -> JSONValue {
        // A plain number or truth value of YAML counts as the text that it is written with.
        var schema: [String: JSONValue] = ["type": rule.format == nil ? ["string", "number", "boolean"] : "string"]
        if rule.length.lowerBound > 0 { schema["minLength"] = .integer(Int64(rule.length.lowerBound)) }
        if rule.length.upperBound < TextRule.longest { schema["maxLength"] = .integer(Int64(rule.length.upperBound)) }
        if let pattern = rule.format?.pattern { schema["pattern"] = .string(pattern) }
        if rule.format == .regex { schema["format"] = "regex" }
        return .object(schema)
    }

    private func schema(of range: ClosedRange<Int64>) -> JSONValue {
        var schema: [String: JSONValue] = ["type": "integer", "minimum": .integer(range.lowerBound)]
        if range.upperBound < .max { schema["maximum"] = .integer(range.upperBound) }
        return .object(schema)
    }

    private func schema(of range: ClosedRange<Double>) -> JSONValue {
        guard range.upperBound < 1e15 else { return ["type": "number"] }
        return ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    private mutating func schema(of element: Shape, _ count: ClosedRange<Int>) -> JSONValue {
        var schema: [String: JSONValue] = ["type": "array", "items": self.schema(of: element)]
        if count.lowerBound > 0 { schema["minItems"] = .integer(Int64(count.lowerBound)) }
        schema["maxItems"] = .integer(Int64(count.upperBound))
        return .object(schema)
    }

    private mutating func schema(of object: ObjectShape) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        var required: [String] = []
        for field in object.fields {
            var property = self.property(field)
            switch field.presence {
            case .required:
                required.append(field.name)
            case .optional:
                property = property.orNull(field.shape)
            case .defaulting(let value):
                property = property.orNull(field.shape)
                property["default"] = value
            }
            properties[field.name] = .object(property)
        }
        var schema: [String: JSONValue] = ["type": "object", "properties": .object(properties)]
        schema["additionalProperties"] = object.others.map { self.schema(of: $0) } ?? false
        if !required.isEmpty { schema["required"] = .strings(required) }
        if !object.rules.isEmpty { schema["allOf"] = .array(object.rules.map(\.schema)) }
        return .object(schema)
    }

    private mutating func property(_ field: Field) -> [String: JSONValue] {
        var property = self.schema(of: field.shape).object ?? [:]
        property["description"] = .string(field.summary)
        return property
    }
}

extension [String: JSONValue] {
    /// The reader takes a field that may be left out and has no value for one that is left out; so does the schema.
    fileprivate func orNull(_ shape: Shape) -> [String: JSONValue] {
        switch shape {
        case .any, .expression: return self
        case .text, .integer, .number, .boolean, .word, .quantity, .reference, .secret, .object, .map, .list, .either,
            .named:
            var inner = self
            let description = inner.removeValue(forKey: "description")
            var schema: [String: JSONValue] = ["anyOf": [.object(inner), ["type": "null"]]]
            schema["description"] = description
            return schema
        }
    }
}

extension ObjectRule {
    /// A field without a value counts as left out.
    fileprivate var schema: JSONValue {
        let present = self.names.map { name -> JSONValue in
            ["required": [.string(name)], "properties": [name: ["not": ["type": "null"]]]]
        }
        switch self {
        case .exactlyOne: return ["oneOf": .array(present)]
        case .atLeastOne: return ["anyOf": .array(present)]
        case .atMostOne: return ["oneOf": .array(present + [["not": ["anyOf": .array(present)]]])]
        }
    }
}

extension QuantityShape {
    fileprivate var schema: JSONValue {
        let number = "[0-9]+(\\.[0-9]+)?"
        switch self {
        case .duration: return ["type": "string", "pattern": .string("^\(number)(ms|s|m|h|d)$")]
        case .memory: return ["type": ["string", "integer"], "pattern": .string("^\(number)(Ki|Mi|Gi|Ti)?$")]
        case .percentage: return ["type": "string", "pattern": .string("^\(number)%$")]
        case .rate: return ["type": "string", "pattern": .string("^\(number)[kMG]?/(\(number))?(ms|s|m|h|d)$")]
        case .count: return ["type": ["string", "integer"], "pattern": .string("^\(number)[kMG]?$")]
        }
    }
}

extension JSONValue {
    fileprivate static func strings(_ texts: [String]) -> JSONValue {
        .array(texts.map { .string($0) })
    }
}
