internal import Schema

extension JSONSchema {
    /// One way in which a value does not fit.
    struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// `$` or `$.reply.lines[2]`.
        var path: String
        var message: String

        var description: String { "\(self.path) \(self.message)" }
    }

    /// Every way in which a value does not fit, outermost first; empty when it fits.
    func problems(in value: JSONValue) -> [Problem] {
        var known = Known()
        return self.problems(of: self, in: value, at: "$", &known)
    }

    /// What references made of parts of the value. A schema that refers to itself would otherwise look at one part again
    /// and again, and find the same problems there.
    private struct Known {
        struct Place: Hashable {
            var reference: String
            var path: String
        }

        /// Enough to tell what is wrong, and which alternative comes nearest.
        static let most = 16
        /// How deep parts may stand in each other, references followed: what checks them stands on a thread's stack.
        static let deepest = 512

        var depth = 0
        var problems: [Place: [Problem]] = [:]
    }

    /// The same for one part of this schema, whose references lead into this one.
    private func problems(
        of part: JSONSchema,
        in value: JSONValue,
        at path: String,
        _ known: inout Known
    ) -> [Problem] {
        guard known.depth < Known.deepest else {
            return [Problem(path: path, message: "cannot be checked: the schema nests too deeply")]
        }
        known.depth += 1
        defer { known.depth -= 1 }
        return part.rules.flatMap { self.problems(of: $0, in: value, at: path, &known) }
    }

    private func problems(
        of rule: Rule,
        in value: JSONValue,
        at path: String,
        _ known: inout Known
    ) -> [Problem] {
        switch rule {
        case .never: return [Problem(path: path, message: "is not allowed")]
        case .types(let names):
            guard !names.contains(where: { JSONSchema.matches(value, type: $0) }) else { return [] }
            return [Problem(path: path, message: "must be \(names.joined(separator: " or ")), not \(value.typePhrase)")]
        case .oneOfValues(let choices):
            guard !choices.contains(where: { $0.isSame(as: value) }) else { return [] }
            let words = choices.map(\.canonicalJSON).joined(separator: ", ")
            return [Problem(path: path, message: choices.count == 1 ? "must be \(words)" : "must be one of \(words)")]
        case .properties, .required, .others: return self.memberProblems(of: rule, in: value, at: path, &known)
        case .items, .uniqueItems: return self.elementProblems(of: rule, in: value, at: path, &known)
        case .count(let rule): return self.problem(of: rule, in: value, at: path).map { [$0] } ?? []
        case .number(let rule): return self.problem(of: rule, in: value, at: path).map { [$0] } ?? []
        case .pattern(let pattern):
            // Compiled at each use: a compiled `Regex` cannot be shared between tasks. It was tried out before.
            guard let text = value.string, let regex = try? Regex(pattern), text.firstMatch(of: regex) == nil else {
                return []
            }
            return [Problem(path: path, message: "must match \(pattern)")]
        case .anyOf, .oneOf, .allOf, .not: return self.combinedProblems(of: rule, in: value, at: path, &known)
        case .reference(let name):
            let place = Known.Place(reference: name, path: path)
            if let problems = known.problems[place] { return problems }
            guard let definition = self.definitions[name] else { return [] }
            let problems = self.problems(of: definition, in: value, at: path, &known)
            known.problems[place] = Array(problems.prefix(Known.most))
            return known.problems[place] ?? []
        }
    }

    private func memberProblems(
        of rule: Rule,
        in value: JSONValue,
        at path: String,
        _ known: inout Known
    ) -> [Problem] {
        guard let members = value.object else { return [] }
        switch rule {
        case .properties(let schemas):
            return schemas.sorted { $0.key < $1.key }.flatMap { name, schema in
                members[name].map { self.problems(of: schema, in: $0, at: JSONSchema.path(of: name, in: path), &known) }
                    ?? []
            }
        case .required(let names):
            return names.filter { members[$0] == nil }.map { Problem(path: path, message: "lacks '\($0)'") }
        case .others(let schema, let named):
            return members.filter { !named.contains($0.key) }.sorted { $0.key < $1.key }.flatMap { name, member in
                self.problems(of: schema, in: member, at: JSONSchema.path(of: name, in: path), &known)
            }
        case .never, .types, .oneOfValues, .items, .uniqueItems, .count, .pattern, .number, .anyOf, .oneOf, .allOf,
            .not, .reference:
            return []
        }
    }

    /// Tells members apart whatever their names hold.
    private static func path(of name: String, in path: String) -> String {
        let isPlain = !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        return isPlain ? "\(path).\(name)" : "\(path)[\(JSONValue.string(name).canonicalJSON)]"
    }

    private func elementProblems(
        of rule: Rule,
        in value: JSONValue,
        at path: String,
        _ known: inout Known
    ) -> [Problem] {
        guard let elements = value.array else { return [] }
        switch rule {
        case .items(let schema):
            return elements.enumerated().flatMap { self.problems(of: schema, in: $1, at: "\(path)[\($0)]", &known) }
        case .uniqueItems:
            guard Set(elements.map(\.canonicalJSON)).count < elements.count else { return [] }
            return [Problem(path: path, message: "must not hold the same element twice")]
        case .never, .types, .oneOfValues, .properties, .required, .others, .count, .pattern, .number, .anyOf, .oneOf,
            .allOf, .not, .reference:
            return []
        }
    }

    private func combinedProblems(
        of rule: Rule,
        in value: JSONValue,
        at path: String,
        _ known: inout Known
    ) -> [Problem] {
        switch rule {
        case .anyOf(let schemas):
            let each = schemas.map { self.problems(of: $0, in: value, at: path, &known) }
            // The alternative that comes nearest says most about what is wrong.
            return each.contains([]) ? [] : each.min { $0.count < $1.count } ?? []
        case .oneOf(let schemas):
            let fitting = schemas.count { self.problems(of: $0, in: value, at: path, &known).isEmpty }
            guard fitting != 1 else { return [] }
            return [Problem(path: path, message: "must fit one of \(schemas.count) schemas, and fits \(fitting)")]
        case .allOf(let schemas): return schemas.flatMap { self.problems(of: $0, in: value, at: path, &known) }
        case .not(let schema):
            guard self.problems(of: schema, in: value, at: path, &known).isEmpty else { return [] }
            return [Problem(path: path, message: "fits a schema that it must not fit")]
        case .never, .types, .oneOfValues, .properties, .required, .others, .items, .uniqueItems, .count, .pattern,
            .number, .reference:
            return []
        }
    }

    private func problem(of rule: CountRule, in value: JSONValue, at path: String) -> Problem? {
        let count: Int?
        switch rule.subject {
        case .members: count = value.object?.count
        case .elements: count = value.array?.count
        // JSON Schema counts code points.
        case .characters: count = value.string?.unicodeScalars.count
        }
        guard let count, rule.isUpper ? count > rule.bound : count < rule.bound else { return nil }
        return Problem(
            path: path,
            message: "has \(count) \(rule.subject), \(rule.isUpper ? "at most" : "at least") \(rule.bound) allowed"
        )
    }

    private func problem(of rule: NumberRule, in value: JSONValue, at path: String) -> Problem? {
        guard let number = value.double else { return nil }
        let operand = JSONValue.number(rule.operand).canonicalJSON
        switch rule.relation {
        case .atLeast: return number < rule.operand ? Problem(path: path, message: "must be at least \(operand)") : nil
        case .atMost: return number > rule.operand ? Problem(path: path, message: "must be at most \(operand)") : nil
        case .above: return number <= rule.operand ? Problem(path: path, message: "must be above \(operand)") : nil
        case .below: return number >= rule.operand ? Problem(path: path, message: "must be below \(operand)") : nil
        case .multipleOf:
            let quotient = number / rule.operand
            guard abs(quotient - quotient.rounded()) > 1e-9 else { return nil }
            return Problem(path: path, message: "must be a multiple of \(operand)")
        }
    }

    private static func matches(_ value: JSONValue, type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number(let number): type == "number" || (type == "integer" && number.rounded() == number)
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
