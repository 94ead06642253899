/// Checks of the references to data of a request.
enum ExpressionCheck {
    /// What is wrong with references that do not parse, in every expression of a value.
    static func findings(in value: JSONValue, of shape: Shape, at path: FieldPath) -> [Finding] {
        self.references(in: value, of: shape, at: path).findings
    }

    /// Every reference in the expressions of a value, and what is wrong with those that do not parse.
    static func references(
        in value: JSONValue,
        of shape: Shape,
        at path: FieldPath
    ) -> (references: [(query: SingularQuery, path: FieldPath)], findings: [Finding]) {
        var references: [(query: SingularQuery, path: FieldPath)] = []
        var findings: [Finding] = []
        shape.visit(value, at: path, for: .expressions) { visit in
            guard case .expression = visit.shape else { return }
            visit.value.visitStrings(at: visit.path) { text, path in
                guard SingularQuery.isReference(text) else { return }
                do {
                    references.append((try SingularQuery(text), path))
                } catch {
                    findings.append(Finding(path, "'\(text)' is not a reference: \(error)"))
                }
            }
        }
        return (references, findings)
    }
}
