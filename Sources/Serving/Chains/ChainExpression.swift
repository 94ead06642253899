internal import Schema

/// A value of a manifest with references in it: literals, references, `{firstOf: […]}`, and lists and objects of these.
indirect enum ChainExpression: Sendable, Hashable {
    case literal(JSONValue)
    case reference(SingularQuery)
    /// The first alternative that is there.
    case firstOf([ChainExpression])
    case array([ChainExpression])
    case object([String: ChainExpression])

    /// Reads a manifest's value: strings that begin with `$` are references. Throws `ReferenceInvalid`.
    init(_ value: JSONValue) throws(MartletError) {
        switch value {
        case .string(let text) where SingularQuery.isReference(text):
            do {
                self = .reference(try SingularQuery(text))
            } catch {
                throw MartletError("ReferenceInvalid", "'\(text)' is no reference: \(error.problem)")
            }
        case .array(let elements):
            self = .array(try ChainExpression.list(elements))
        case .object(let members):
            if members.count == 1, case .array(let alternatives)? = members["firstOf"] {
                self = .firstOf(try ChainExpression.list(alternatives))
                return
            }
            var expressions: [String: ChainExpression] = [:]
            for (name, member) in members { expressions[name] = try ChainExpression(member) }
            self = .object(expressions)
        case .null, .bool, .integer, .number, .string:
            self = .literal(value)
        }
    }

    private static func list(_ values: [JSONValue]) throws(MartletError) -> [ChainExpression] {
        var expressions: [ChainExpression] = []
        for value in values { expressions.append(try ChainExpression(value)) }
        return expressions
    }

    /// Every reference in the expression.
    var references: [SingularQuery] {
        switch self {
        case .literal: []
        case .reference(let query): [query]
        case .firstOf(let inner), .array(let inner): inner.flatMap(\.references)
        case .object(let members): members.values.flatMap(\.references)
        }
    }

    /// Whether what it comes to is up to the chain's caller: it refers to the input, and to nothing else.
    var isFromInputAlone: Bool {
        let references = self.references
        return !references.isEmpty && references.allSatisfy(\.isIntoInput)
    }
}

/// What an expression came to.
enum ChainValue: Sendable, Hashable {
    case present(JSONValue)
    /// There is nothing at the place that is referred to.
    case absent
    /// The step that is referred to was skipped.
    case skipped

    /// The value, if there is one.
    var value: JSONValue? {
        switch self {
        case .present(let value): value
        case .absent, .skipped: nil
        }
    }
}

/// What expressions refer to: a root value, and which steps were skipped.
struct ChainScope: Sendable {
    /// `{"input": …, "steps": {name: {"output": …}}}`, or another document.
    var root: JSONValue
    var skippedSteps: Set<String> = []

    /// Evaluates an expression.
    ///
    /// A reference into a skipped step makes everything around it skipped, up to a `firstOf`, which takes the first
    /// alternative that is there. Members of objects that are absent are left out; absent elements of arrays are null.
    func evaluate(_ expression: ChainExpression) -> ChainValue {
        switch expression {
        case .literal(let value): return .present(value)
        case .reference(let query):
            if let value = query.evaluate(on: self.root) { return .present(value) }
            return query.step.map { self.skippedSteps.contains($0) } ?? false ? .skipped : .absent
        case .firstOf(let alternatives):
            let values = alternatives.lazy.map { self.evaluate($0) }
            if let first = values.first(where: { $0.value != nil }) { return first }
            return values.allSatisfy { $0 == .skipped } ? .skipped : .absent
        case .array(let elements):
            let values = elements.map { self.evaluate($0) }
            return values.contains(.skipped) ? .skipped : .present(.array(values.map { $0.value ?? .null }))
        case .object(let members):
            let values = members.mapValues { self.evaluate($0) }
            return values.values.contains(.skipped) ? .skipped : .present(.object(values.compactMapValues(\.value)))
        }
    }

    /// Whether a condition holds. What is absent equals nothing and is in no list.
    func holds(_ condition: ChainCondition) -> Bool {
        switch condition {
        case .isIn(let expression, let choices):
            guard let value = self.evaluate(expression).value else { return false }
            return choices.contains { $0.isSame(as: value) }
        case .equals(let expression, let other):
            guard let value = self.evaluate(expression).value, let other = self.evaluate(other).value else {
                return false
            }
            return value.isSame(as: other)
        case .present(let expression):
            guard let value = self.evaluate(expression).value else { return false }
            return value != .null && value != .bool(false)
        case .not(let inner): return !self.holds(inner)
        case .all(let inner): return inner.allSatisfy { self.holds($0) }
        case .any(let inner): return inner.contains { self.holds($0) }
        }
    }
}

/// A step's `when`, compiled.
indirect enum ChainCondition: Sendable, Hashable {
    case isIn(ChainExpression, [JSONValue])
    case equals(ChainExpression, ChainExpression)
    case present(ChainExpression)
    case not(ChainCondition)
    case all([ChainCondition])
    case any([ChainCondition])

    /// Throws `ReferenceInvalid`.
    init(_ condition: ChainSpec.Condition) throws(MartletError) {
        switch condition {
        case .isIn(let value, let choices): self = .isIn(try ChainExpression(value), choices)
        case .equals(let value, let other): self = .equals(try ChainExpression(value), try ChainExpression(other))
        case .present(let value): self = .present(try ChainExpression(value))
        case .not(let inner): self = .not(try ChainCondition(inner))
        case .all(let inner): self = .all(try ChainCondition.list(inner))
        case .any(let inner): self = .any(try ChainCondition.list(inner))
        }
    }

    private static func list(_ conditions: [ChainSpec.Condition]) throws(MartletError) -> [ChainCondition] {
        var compiled: [ChainCondition] = []
        for condition in conditions { compiled.append(try ChainCondition(condition)) }
        return compiled
    }

    /// Every reference in the condition.
    var references: [SingularQuery] {
        switch self {
        case .isIn(let expression, _), .present(let expression): expression.references
        case .equals(let left, let right): left.references + right.references
        case .not(let inner): inner.references
        case .all(let inner), .any(let inner): inner.flatMap(\.references)
        }
    }
}

extension SingularQuery {
    /// The step that `$.steps.NAME.output…` refers into, if the reference has that form.
    var step: String? {
        guard self.segments.count >= 3, self.segments[0] == .name("steps"), self.segments[2] == .name("output"),
            case .name(let name) = self.segments[1]
        else { return nil }
        return name
    }

    /// Whether the reference is into the chain's input.
    var isIntoInput: Bool {
        self.segments.first == .name("input")
    }
}
