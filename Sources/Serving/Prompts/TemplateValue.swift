internal import Mustache
internal import Schema

/// Turns JSON values into what the template engine renders: text as it is, anything nested as canonical JSON.
enum TemplateValue {
    /// The value as a rendering context.
    static func of(_ value: JSONValue) -> Any {
        switch value {
        case .null: TemplateNull()
        case .bool(let flag): flag
        case .integer(let number): number
        case .number: value.canonicalJSON
        case .string(let text): text
        case .array(let elements): TemplateList(elements: elements)
        case .object(let members): TemplateObject(members: members)
        }
    }
}

/// A null: renders as nothing, and a section on it is left out.
private struct TemplateNull: MustacheCustomRenderable {
    var renderText: String { "" }
    var isNull: Bool { true }
}

/// An array: a section runs once for each element; standing alone it is JSON.
private struct TemplateList: MustacheSequence, MustacheCustomRenderable, MustacheTransformable {
    let elements: [JSONValue]

    var renderText: String { JSONValue.array(self.elements).canonicalJSON }
    var isNull: Bool { false }

    func makeIterator() -> IndexingIterator<[Any]> {
        self.elements.map(TemplateValue.of).makeIterator()
    }

    func transform(_ name: String) -> Any? {
        self.elements.map(TemplateValue.of).transform(name)
    }
}

/// An object: a section sees its members; standing alone it is JSON.
private struct TemplateObject: MustacheParent, MustacheCustomRenderable {
    let members: [String: JSONValue]

    var renderText: String { JSONValue.object(self.members).canonicalJSON }
    var isNull: Bool { false }

    func child(named name: String) -> Any? {
        self.members[name].map(TemplateValue.of)
    }
}
