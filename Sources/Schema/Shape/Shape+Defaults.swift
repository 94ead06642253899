extension Shape {
    /// The value with every default filled in, which the typed specs decode from.
    ///
    /// The value has passed this shape, or is a part of one that did not; what does not fit is left as it is.
    package func complete(_ value: JSONValue) -> JSONValue {
        self.change(of: value, to: .complete) ?? value
    }

    /// The value with every field that equals its default left out: what digests are made of.
    package func canonical(_ value: JSONValue) -> JSONValue {
        self.change(of: value, to: .canonical) ?? value
    }

    /// The value in another form, with what can be spelled in several ways spelled in one; nil where it stays as it is,
    /// so that both forms share all in which they are the same.
    fileprivate func change(of value: JSONValue, to form: SpecForm) -> JSONValue? {
        switch (self, value) {
        case (.object(let object), .object(let members)):
            return object.change(of: members, to: form).map { .object($0) }
        case (.map(_, let shape), .object(let members)):
            var result = members
            var isChanged = false
            for (name, member) in members {
                guard let changed = shape.change(of: member, to: form) else { continue }
                result[name] = changed
                isChanged = true
            }
            return isChanged ? .object(result) : nil
        case (.list(let shape, _), .array(let elements)):
            var result = elements
            var isChanged = false
            for (index, element) in elements.enumerated() {
                guard let changed = shape.change(of: element, to: form) else { continue }
                result[index] = changed
                isChanged = true
            }
            return isChanged ? .array(result) : nil
        case (.either(let shapes), _):
            return shapes.first { $0.form.contains(value.form) }?.change(of: value, to: form)
        case (.named(let name), _):
            return name.shape.change(of: value, to: form)
        case (.quantity(let quantity), .string(let text)):
            return quantity.normalized(text).flatMap { text.isSpelled($0) ? nil : .string($0) }
        case (.text(let rule), .string(let text)) where rule.format == .sha256:
            let digits = text.lowercased()
            return text.isSpelled(digits) ? nil : .string(digits)
        case (.number, .number(let number)):
            return Int64(exactly: number).map { .integer($0) }
        case (.text, _), (.integer, _), (.number, _), (.boolean, _), (.word, _), (.quantity, _), (.reference, _),
            (.secret, _), (.object, _), (.map, _), (.list, _), (.any, _), (.expression, _):
            return nil
        }
    }
}

/// The forms that a checked spec is brought into.
private enum SpecForm {
    case complete
    case canonical
}

extension ObjectShape {
    fileprivate func change(of members: [String: JSONValue], to form: SpecForm) -> [String: JSONValue]? {
        var result = members
        var isChanged = false
        for (name, member) in members {
            let field = self.field(name)
            let changed = (field?.shape ?? self.others)?.change(of: member, to: form)
            if form == .canonical, let field, changed ?? member == field.canonicalDefault {
                result[name] = nil
            } else if let changed {
                result[name] = changed
            } else {
                continue
            }
            isChanged = true
        }
        guard form == .complete else { return isChanged ? result : nil }
        for field in self.fields {
            guard let value = field.completeDefault, members[field.name] == nil else { continue }
            result[field.name] = value
            isChanged = true
        }
        return isChanged ? result : nil
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
