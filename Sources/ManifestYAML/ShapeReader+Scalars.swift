internal import Schema

extension ShapeReader {
    /// The way to the present value as messages show it: `Endpoint.spec.replicas.min`.
    var place: String {
        self.field.components.isEmpty ? self.label : "\(self.label).\(self.field)"
    }

    /// The text of a scalar, quoted or not; null is none.
    func text(of node: YAMLNode) -> String? {
        node.isNull ? nil : node.scalar?.text
    }

    /// Reports that a value is not what its shape says.
    mutating func refuse(_ node: YAMLNode, _ shape: Shape, hint: String = "") -> JSONValue? {
        self.refuse(node, expected: shape.expectation, hint: hint)
    }

    /// Reports that a value is not what it must be.
    mutating func refuse(_ node: YAMLNode, expected: String, hint: String = "") -> JSONValue? {
        self.report(node.mark, "\(self.place) must be \(expected), not \(node.spelling)\(hint)")
        return nil
    }

    mutating func readText(_ node: YAMLNode, _ rule: TextRule) -> JSONValue? {
        guard let text = self.text(of: node) else { return self.refuse(node, .text(rule)) }
        if let problem = rule.problem(in: text) {
            return self.refuse(node, expected: problem, hint: rule.format == .label ? Self.labelHint(text) : "")
        }
        if rule.format?.fileForm != nil || rule.format == .adapter {
            self.fieldLocations[self.field.description] = node.mark.location(in: self.path)
        }
        return .string(text)
    }

    mutating func readInteger(_ node: YAMLNode, _ range: ClosedRange<Int64>) -> JSONValue? {
        guard case .integer(let value)? = node.scalar?.core, range.contains(value) else {
            return self.refuse(node, .integer(range), hint: self.quoteHint(node))
        }
        return .integer(value)
    }

    mutating func readNumber(_ node: YAMLNode, _ range: ClosedRange<Double>) -> JSONValue? {
        switch node.scalar?.core {
        case .integer(let value)? where range.contains(Double(value)): return .integer(value)
        case .number(let value)? where range.contains(value): return .number(value)
        case .integer, .number, .null, .bool, .notFinite, .text, nil:
            return self.refuse(node, .number(range), hint: self.quoteHint(node))
        }
    }

    /// A secret never stands in a manifest, nor in a message about one.
    mutating func readSecret(_ node: YAMLNode) -> JSONValue? {
        guard case .mapping = node.content else {
            let expected = Shape.secret.expectation
            self.report(node.mark, "\(self.place) must be \(expected); a secret itself never stands in a manifest")
            return nil
        }
        return self.readObject(node, Shape.secretSource)
    }

    /// Any JSON value, its scalars by YAML's core schema.
    mutating func readAny(_ node: YAMLNode) -> JSONValue? {
        switch node.content {
        case .invalid: return nil
        case .sequence: return self.readList(node, .any, 0...Int.max)
        case .mapping: return self.readMap(node, TextRule(), .any)
        case .scalar(let scalar):
            switch scalar.core {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            case .text: return .string(scalar.text)
            case .notFinite: return self.refuse(node, expected: "a finite number")
            }
        }
    }

    /// Says so when only the quotes are wrong.
    private func quoteHint(_ node: YAMLNode) -> String {
        guard let scalar = node.scalar, !scalar.isPlain else { return "" }
        switch YAMLScalar(text: scalar.text, isPlain: true).core {
        case .integer, .number: return "; write it without quotes"
        case .null, .bool, .notFinite, .text: return ""
        }
    }

    private static func labelHint(_ text: String) -> String {
        let letters = text.lowercased().map { $0 == "_" || $0 == " " || $0 == "." ? "-" : $0 }
        let label = String(letters)
        return label != text && TextFormat.isLabel(label) ? "; did you mean '\(label)'?" : ""
    }
}
