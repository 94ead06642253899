extension Shape {
    /// A value inside another one, with the shape that is declared for it.
    package struct Visit: Sendable {
        package var shape: Shape
        package var value: JSONValue
        package var path: FieldPath
    }

    /// Calls `body` for every scalar that has a shape, and for every expression as a whole, in the order of paths.
    ///
    /// - Parameter matter: What `body` looks for: parts that can hold none of it may be passed by. Nil: everything.
    package func visit(
        _ value: JSONValue,
        at path: FieldPath = FieldPath(),
        for matter: ShapeMatter? = nil,
        _ body: (Visit) -> Void
    ) {
        var path = path
        self.visit(value, at: &path, for: matter, body)
    }

    /// The same with a path that is in the end as it was.
    private func visit(_ value: JSONValue, at path: inout FieldPath, for matter: ShapeMatter?, _ body: (Visit) -> Void)
    {
        if let matter, self.matter.isDisjoint(with: matter) { return }
        switch (self, value) {
        case (.object(let object), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                guard let shape = object.field(name)?.shape ?? object.others else { continue }
                path.components.append(.field(name))
                shape.visit(member, at: &path, for: matter, body)
                path.components.removeLast()
            }
        case (.map(_, let shape), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                path.components.append(.field(name))
                shape.visit(member, at: &path, for: matter, body)
                path.components.removeLast()
            }
        case (.list(let shape, _), .array(let elements)):
            for (index, element) in elements.enumerated() {
                path.components.append(.item(index))
                shape.visit(element, at: &path, for: matter, body)
                path.components.removeLast()
            }
        case (.either(let shapes), _):
            shapes.first { $0.form.contains(value.form) }?.visit(value, at: &path, for: matter, body)
        case (.named(let name), _):
            name.shape.visit(value, at: &path, for: matter, body)
        case (.text, _), (.integer, _), (.number, _), (.boolean, _), (.word, _), (.quantity, _), (.reference, _),
            (.secret, _), (.object, _), (.map, _), (.list, _), (.any, _), (.expression, _):
            body(Visit(shape: self, value: value, path: path))
        }
    }
}

/// What values of a shape may hold that others than their reader look for.
package struct ShapeMatter: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Names of resources, and of files of the repository.
    package static let names = ShapeMatter(rawValue: 1)
    package static let expressions = ShapeMatter(rawValue: 2)
}

extension Shape {
    /// What values of this shape may hold; more than they do where a shape contains itself.
    var matter: ShapeMatter {
        switch self {
        case .reference: .names
        case .text(let rule): rule.format?.fileForm == nil ? [] : .names
        case .expression: .expressions
        case .object(let object): object.matter
        case .map(_, let shape), .list(let shape, _): shape.matter
        case .either(let shapes): shapes.reduce([]) { $0.union($1.matter) }
        case .named(.jsonSchema), .integer, .number, .boolean, .word, .quantity, .secret, .any: []
        case .named(.condition), .named(.step): [.names, .expressions]
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
