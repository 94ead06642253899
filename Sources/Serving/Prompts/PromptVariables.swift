internal import Schema

/// What is wrong with the values given to a prompt template.
struct PromptProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The variable at fault; nil for all of them together.
    var variable: String?
    /// A full clause that names the variable: `variable 'tone' must be one of "warm", "formal"`.
    var message: String
    /// What a caller is told whose values they are.
    var code = CallError.Code.invalidInput

    var description: String { self.message }
}

/// The typed variables of one template: checks values and fills in defaults.
struct PromptVariables: Sendable {
    let declared: [String: PromptTemplateSpec.Variable]
    private let schemas: [String: JSONSchema]

    /// Throws `SchemaUnsupported`.
    init(declared: [String: PromptTemplateSpec.Variable]) throws(MartletError) {
        self.declared = declared
        var schemas: [String: JSONSchema] = [:]
        for (name, variable) in declared {
            schemas[name] = try variable.schema.map { schema throws(MartletError) in try JSONSchema(schema) }
        }
        self.schemas = schemas
    }

    /// Every variable with its value or default. Throws the first problem, by name in alphabetical order.
    func resolve(_ values: [String: JSONValue]) throws(PromptProblem) -> [String: JSONValue] {
        if let unknown = values.keys.sorted().first(where: { self.declared[$0] == nil }) {
            let hint = NearestWord.hint(for: unknown, among: self.declared.keys)
            throw PromptProblem(variable: unknown, message: "the template has no variable '\(unknown)'\(hint)")
        }
        var resolved: [String: JSONValue] = [:]
        for (name, variable) in self.declared.sorted(by: { $0.key < $1.key }) {
            guard let value = values[name] ?? variable.default else {
                throw PromptProblem(variable: name, message: "variable '\(name)' is missing")
            }
            if let fault = variable.fault(of: value) {
                throw PromptProblem(variable: name, message: "variable '\(name)' \(fault)")
            }
            if let problem = self.schemas[name]?.problems(in: value).first {
                throw PromptProblem(variable: name, message: "variable '\(name)' does not fit its schema: \(problem)")
            }
            resolved[name] = value
        }
        return resolved
    }
}

extension PromptTemplateSpec.Variable {
    /// What is wrong with a value, as the end of a sentence, or nil.
    fileprivate func fault(of value: JSONValue) -> String? {
        guard self.type.admits(value) else {
            return "must be \(self.type.phrase), not \(value.typePhrase)"
        }
        if let choices = self.enum, !choices.contains(where: { $0.isSame(as: value) }) {
            return "must be one of " + choices.map(\.canonicalJSON).joined(separator: ", ")
        }
        // Bytes are never fewer than characters, so most texts need no counting.
        if let limit = self.maxLength, let text = value.string, text.utf8.count > limit, text.count > limit {
            return "has \(text.count) characters; at most \(limit) are allowed"
        }
        return nil
    }
}

extension PromptTemplateSpec.VariableType {
    fileprivate func admits(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.string, .string), (.boolean, .bool), (.array, .array), (.object, .object): true
        case (.integer, .integer), (.number, .integer), (.number, .number): true
        case (.integer, .number(let number)): Int64(exactly: number) != nil
        case (.string, _), (.boolean, _), (.array, _), (.object, _), (.integer, _), (.number, _): false
        }
    }

    fileprivate var phrase: String {
        switch self {
        case .string: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    /// The type of the value, in words.
    var typePhrase: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// Whether two values are equal as JSON: `1` and `1.0` are.
    func isSame(as other: JSONValue) -> Bool {
        self == other || self.canonicalJSON == other.canonicalJSON
    }
}
