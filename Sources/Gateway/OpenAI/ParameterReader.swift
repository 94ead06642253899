internal import Schema

/// Reads the parameters of a request body strictly: a wrong type or a value out of range is an error that names the
/// parameter. An explicit `null` counts as not given, as OpenAI's clients mean it.
struct ParameterReader {
    private let members: [String: JSONValue]
    /// Stands before every name in errors: `messages[0].`.
    private let prefix: String

    /// The parameters of a body. Throws when it is not one JSON object.
    init(body: [UInt8]) throws {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: body)
        } catch {
            throw OpenAIError.invalid("The body is not JSON: \(error).", parameter: nil, code: "invalid_json")
        }
        guard case .object(let members) = value else {
            throw OpenAIError.invalid("The body must be one JSON object.", parameter: nil, code: "invalid_type")
        }
        self.init(members, prefix: "")
    }

    init(_ members: [String: JSONValue], prefix: String) {
        self.members = members.filter { $0.value != .null }
        self.prefix = prefix
    }

    /// The names that were given with a value.
    var names: [String] { self.members.keys.sorted() }

    /// The name of a parameter as errors say it.
    func path(_ name: String) -> String { self.prefix + name }

    /// The value as it was given, or nil.
    subscript(_ name: String) -> JSONValue? { self.members[name] }

    func string(_ name: String) throws -> String? {
        guard let value = self.members[name] else { return nil }
        guard case .string(let text) = value else { throw self.wrongType(name, "a string") }
        return text
    }

    func boolean(_ name: String) throws -> Bool? {
        guard let value = self.members[name] else { return nil }
        guard case .bool(let flag) = value else { throw self.wrongType(name, "true or false") }
        return flag
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
        let number: Double
        switch self.members[name] {
        case nil: return nil
        case .integer(let value): number = Double(value)
        case .number(let value): number = value
        case .null, .bool, .string, .array, .object: throw self.wrongType(name, "a number")
        }
        guard range.contains(number) else {
            throw OpenAIError.invalid(
                "'\(self.path(name))' must be from \(range.lowerBound) to \(range.upperBound), not \(number).",
                parameter: self.path(name)
            )
        }
        return number
    }

    func integer(_ name: String, in range: ClosedRange<Int64> = .min ... .max) throws -> Int64? {
        guard let value = self.members[name] else { return nil }
        guard case .integer(let integer) = value else { throw self.wrongType(name, "a whole number") }
        guard range.contains(integer) else {
            let bounds =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw OpenAIError.invalid(
                "'\(self.path(name))' must be \(bounds), not \(integer).",
                parameter: self.path(name)
            )
        }
        return integer
    }

    /// One string, or an array of strings.
    func strings(_ name: String) throws -> [String]? {
        switch self.members[name] {
        case nil: return nil
        case .string(let text): return [text]
        case .array(let elements):
            return try elements.enumerated().map { index, element in
                guard case .string(let text) = element else { throw self.wrongType("\(name)[\(index)]", "a string") }
                return text
            }
        case .null, .bool, .integer, .number, .object: throw self.wrongType(name, "a string or an array of strings")
        }
    }

    /// An object, as a reader of its own.
    func object(_ name: String) throws -> ParameterReader? {
        guard let value = self.members[name] else { return nil }
        guard case .object(let members) = value else { throw self.wrongType(name, "an object") }
        return ParameterReader(members, prefix: self.path(name) + ".")
    }

    /// Throws unless every member is a text.
    func requireTexts() throws {
        for name in self.names { _ = try self.string(name) }
    }

    /// A parameter that must be there.
    func required<Value>(_ name: String, _ value: Value?) throws -> Value {
        guard let value else {
            throw OpenAIError.invalid(
                "'\(self.path(name))' is required.",
                parameter: self.path(name),
                code: "missing_required_parameter"
            )
        }
        return value
    }

    func wrongType(_ name: String, _ expected: String) -> OpenAIError {
        .invalid("'\(self.path(name))' must be \(expected).", parameter: self.path(name), code: "invalid_type")
    }
}
