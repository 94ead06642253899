extension Shape {
    /// The value with every default filled in, which the typed specs decode from.
    ///
    /// The value has passed this shape, or is a part of one that did not; what does not fit is left as it is.
    package func complete(_ value: JSONValue) -> JSONValue {
        self.transform(value) { field, member in
            guard case .defaulting(let fallback) = field.presence else { return member }
            return member ?? field.shape.complete(fallback)
        }
    }

    /// The value with every field that equals its default left out: what digests are made of.
    package func canonical(_ value: JSONValue) -> JSONValue {
        self.transform(value) { field, member in
            guard case .defaulting(let fallback) = field.presence else { return member }
            return member == field.shape.canonical(fallback) ? nil : member
        }
    }

    /// Rebuilds a value from the inside out, normalizes what can be spelled in several ways, and lets `choose` say for
    /// each declared field of each mapping what stands there in the end.
    private func transform(
        _ value: JSONValue,
        _ choose: (_ field: Field, _ member: JSONValue?) -> JSONValue?
    ) -> JSONValue {
        switch (self, value) {
        case (.object(let object), .object(let members)):
            return .object(
                object.transform(members) { shape, member in
                    shape.transform(member, choose)
                } choose: { field, member in
                    choose(field, member)
                }
            )
        case (.map(_, let shape), .object(let members)):
            return .object(members.mapValues { shape.transform($0, choose) })
        case (.list(let shape, _), .array(let elements)):
            return .array(elements.map { shape.transform($0, choose) })
        case (.either(let shapes), _):
            return shapes.first { $0.form.contains(value.form) }?.transform(value, choose) ?? value
        case (.named(let name), _):
            return name.shape.transform(value, choose)
        case (.quantity(let quantity), .string(let text)):
            return quantity.normalized(text).map { .string($0) } ?? value
        case (.text(let rule), .string(let text)) where rule.format == .sha256:
            return .string(text.lowercased())
        case (.number, .number(let number)):
            return Int64(exactly: number).map { .integer($0) } ?? value
        case (.text, _), (.integer, _), (.number, _), (.boolean, _), (.word, _), (.quantity, _), (.reference, _),
            (.secret, _), (.object, _), (.map, _), (.list, _), (.any, _), (.expression, _):
            return value
        }
    }
}

extension ObjectShape {
    fileprivate func transform(
        _ members: [String: JSONValue],
        _ inner: (Shape, JSONValue) -> JSONValue,
        choose: (Field, JSONValue?) -> JSONValue?
    ) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for field in self.fields {
            result[field.name] = choose(field, members[field.name].map { inner(field.shape, $0) })
        }
        for (name, member) in members where self.field(name) == nil {
            result[name] = self.others.map { inner($0, member) } ?? member
        }
        return result
    }
}

/// The outer forms of a value, by which alternatives are told apart.
package struct ValueForm: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let scalar = ValueForm(rawValue: 1)
    package static let list = ValueForm(rawValue: 2)
    package static let mapping = ValueForm(rawValue: 4)
}

extension Shape {
    /// The forms in which a value of this shape comes.
    package var form: ValueForm {
        switch self {
        case .text, .integer, .number, .boolean, .word, .quantity, .reference: .scalar
        case .secret, .object, .map: .mapping
        case .list: .list
        case .either(let shapes): shapes.reduce([]) { $0.union($1.form) }
        case .any, .expression: [.scalar, .list, .mapping]
        case .named(let name): name.shape.form
        }
    }
}

extension JSONValue {
    /// The outer form of this value.
    package var form: ValueForm {
        switch self {
        case .null, .bool, .integer, .number, .string: .scalar
        case .array: .list
        case .object: .mapping
        }
    }
}
