extension Shape {
    /// A value inside another one, with the shape that is declared for it.
    package struct Visit: Sendable {
        package var shape: Shape
        package var value: JSONValue
        package var path: FieldPath
    }

    /// Calls `body` for every scalar that has a shape, and for every expression as a whole, in the order of paths.
    package func visit(_ value: JSONValue, at path: FieldPath = FieldPath(), _ body: (Visit) -> Void) {
        switch (self, value) {
        case (.object(let object), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                (object.field(name)?.shape ?? object.others)?.visit(member, at: path.field(name), body)
            }
        case (.map(_, let shape), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                shape.visit(member, at: path.field(name), body)
            }
        case (.list(let shape, _), .array(let elements)):
            for (index, element) in elements.enumerated() {
                shape.visit(element, at: path.item(index), body)
            }
        case (.either(let shapes), _):
            shapes.first { $0.form.contains(value.form) }?.visit(value, at: path, body)
        case (.named(let name), _):
            name.shape.visit(value, at: path, body)
        case (.text, _), (.integer, _), (.number, _), (.boolean, _), (.word, _), (.quantity, _), (.reference, _),
            (.secret, _), (.object, _), (.map, _), (.list, _), (.any, _), (.expression, _):
            body(Visit(shape: self, value: value, path: path))
        }
    }
}

extension JSONValue {
    /// Calls `body` for every string in this value, in the order of paths.
    package func visitStrings(at path: FieldPath, _ body: (String, FieldPath) -> Void) {
        switch self {
        case .string(let text):
            body(text, path)
        case .array(let elements):
            for (index, element) in elements.enumerated() { element.visitStrings(at: path.item(index), body) }
        case .object(let members):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                member.visitStrings(at: path.field(name), body)
            }
        case .null, .bool, .integer, .number:
            break
        }
    }
}
