extension Shape {
    /// The path of every field that this shape declares, at any depth, as the reference writes it: `rollout.swap`,
    /// `steps[].retries.attempts`, `columns.*.type`.
    ///
    /// A shape that can contain itself is entered once, and a JSON Schema is one field.
    package var fieldPaths: [String] {
        var paths: [String] = []
        self.collectFields(at: "", inside: [.jsonSchema], into: &paths)
        return paths
    }

    private func collectFields(at path: String, inside open: Set<NamedShape>, into paths: inout [String]) {
        switch self {
        case .object(let object):
            for field in object.fields {
                let path = path.isEmpty ? field.name : "\(path).\(field.name)"
                if !paths.contains(path) { paths.append(path) }
                field.shape.collectFields(at: path, inside: open, into: &paths)
            }
        case .list(let element, _): element.collectFields(at: "\(path)[]", inside: open, into: &paths)
        case .map(_, let values): values.collectFields(at: "\(path).*", inside: open, into: &paths)
        case .either(let shapes):
            for shape in shapes { shape.collectFields(at: path, inside: open, into: &paths) }
        case .named(let name):
            guard !open.contains(name) else { return }
            name.shape.collectFields(at: path, inside: open.union([name]), into: &paths)
        case .text, .integer, .number, .boolean, .word, .quantity, .reference, .secret, .any, .expression: break
        }
    }

    /// A declared field that a value has.
    package struct FieldVisit: Sendable {
        /// Where the declaration stands: `steps[].retries`.
        package var declaration: String
        package var value: JSONValue
        /// The mapping that has the field, and where that stands.
        package var parent: JSONValue
        fileprivate var parentPath: FieldPath
        fileprivate var name: String

        /// Where the field stands in the value: `spec.steps[0].retries`.
        package var path: FieldPath { self.parentPath.field(self.name) }
    }

    /// Calls `body` for every declared field that a value has, outer ones first; what it answers says whether the
    /// fields inside are visited too.
    package func visitFields(of value: JSONValue, at path: FieldPath, _ body: (FieldVisit) -> Bool) {
        self.visitFields(of: value, at: path, declaration: "", body)
    }

    private func visitFields(
        of value: JSONValue,
        at path: FieldPath,
        declaration: String,
        _ body: (FieldVisit) -> Bool
    ) {
        switch (self, value) {
        case (.object(let object), .object(let members)):
            for field in object.fields {
                guard let member = members[field.name] else { continue }
                let inner = declaration.isEmpty ? field.name : "\(declaration).\(field.name)"
                let visit = FieldVisit(
                    declaration: inner,
                    value: member,
                    parent: value,
                    parentPath: path,
                    name: field.name
                )
                if body(visit) { field.shape.visitFields(of: member, at: visit.path, declaration: inner, body) }
            }
        case (.map(_, let shape), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                shape.visitFields(of: member, at: path.field(name), declaration: "\(declaration).*", body)
            }
        case (.list(let shape, _), .array(let elements)):
            for (index, element) in elements.enumerated() {
                shape.visitFields(of: element, at: path.item(index), declaration: "\(declaration)[]", body)
            }
        case (.either(let shapes), _):
            shapes.first { $0.form.contains(value.form) }?
                .visitFields(of: value, at: path, declaration: declaration, body)
        case (.named(let name), _):
            guard name != .jsonSchema else { return }
            name.shape.visitFields(of: value, at: path, declaration: declaration, body)
        case (.text, _), (.integer, _), (.number, _), (.boolean, _), (.word, _), (.quantity, _), (.reference, _),
            (.secret, _), (.object, _), (.map, _), (.list, _), (.any, _), (.expression, _):
            break
        }
    }
}
