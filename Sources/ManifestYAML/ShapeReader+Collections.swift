internal import Schema

extension ShapeReader {
    mutating func readObject(_ node: YAMLNode, _ object: ObjectShape) -> JSONValue? {
        guard case .mapping(let mapping) = node.content else { return self.refuse(node, .object(object)) }
        var members: [String: JSONValue] = [:]
        members.reserveCapacity(mapping.entries.count)
        var seen = SeenKeys(mapping)
        for entry in mapping.entries {
            guard self.isFirst(entry, &seen) else { continue }
            guard let shape = object.field(entry.key)?.shape ?? object.others else {
                self.refuseUnknown(entry, object)
                continue
            }
            // As in Kubernetes, a field without a value counts as left out, unless null is a value there.
            if entry.value.isNull, !shape.acceptsNull { continue }
            members[entry.key] = self.read(entry, as: shape) ?? .null
        }
        self.checkPresence(of: object, in: mapping, members)
        return .object(members)
    }

    mutating func readMap(_ node: YAMLNode, _ keys: TextRule, _ values: Shape) -> JSONValue? {
        guard case .mapping(let mapping) = node.content else { return self.refuse(node, .map(values)) }
        var members: [String: JSONValue] = [:]
        members.reserveCapacity(mapping.entries.count)
        var seen = SeenKeys(mapping)
        for entry in mapping.entries {
            guard self.isFirst(entry, &seen) else { continue }
            if let problem = keys.problem(in: entry.key) {
                let key = YAMLNode(.scalar(YAMLScalar(text: entry.key, isPlain: false)), at: entry.keyMark)
                self.report(entry.keyMark, "a key in \(self.place) must be \(problem), not \(key.spelling)")
                continue
            }
            if case .expression = values {
                // What a template calls its variables is checked when the template is known.
                let field = self.field.field(entry.key).description
                self.fieldLocations[field] = entry.keyMark.location(in: self.path)
            }
            members[entry.key] = self.read(entry, as: values) ?? .null
        }
        return .object(members)
    }

    mutating func readList(_ node: YAMLNode, _ element: Shape, _ count: ClosedRange<Int>) -> JSONValue? {
        guard case .sequence(let nodes) = node.content else {
            return self.refuse(node, .list(element, count: count))
        }
        if nodes.count < count.lowerBound {
            self.report(
                node.mark,
                "\(self.place) must have at least \(count.lowerBound) \(Self.elements(count.lowerBound))"
            )
        }
        if nodes.count > count.upperBound {
            self.report(node.mark, "\(self.place) has \(nodes.count) elements; at most \(count.upperBound) are allowed")
            return nil
        }
        var values: [JSONValue] = []
        values.reserveCapacity(nodes.count)
        for (index, node) in nodes.enumerated() {
            self.field.components.append(.item(index))
            values.append(self.read(node, as: element) ?? .null)
            self.field.components.removeLast()
        }
        return .array(values)
    }

    private mutating func read(_ entry: YAMLMapping.Entry, as shape: Shape) -> JSONValue? {
        self.field.components.append(.field(entry.key))
        defer { self.field.components.removeLast() }
        return self.read(entry.value, as: shape)
    }

    /// Whether a key has not occurred before in its mapping; reports one that has.
    private mutating func isFirst(_ entry: YAMLMapping.Entry, _ seen: inout SeenKeys) -> Bool {
        guard let first = seen.insert(entry) else { return true }
        self.report(
            entry.keyMark,
            "duplicate field '\(entry.key)' in \(self.place); the first one is at \(first.line):\(first.column)"
        )
        return false
    }

    private mutating func refuseUnknown(_ entry: YAMLMapping.Entry, _ object: ObjectShape) {
        let key = YAMLNode(.scalar(YAMLScalar(text: entry.key, isPlain: false)), at: entry.keyMark)
        let hint = self.hint(for: entry.key, among: object.fields.map(\.name))
        self.report(entry.keyMark, "unknown field \(key.spelling) in \(self.place)\(hint)")
    }

    /// Reports required fields that are missing and rules between fields that do not hold.
    private mutating func checkPresence(
        of object: ObjectShape,
        in mapping: YAMLMapping,
        _ members: [String: JSONValue]
    ) {
        for field in object.fields where field.isRequired && members[field.name] == nil {
            if let entry = mapping[field.name] {
                self.report(entry.value.mark, "field '\(field.name)' in \(self.place) has no value")
            } else {
                self.report(mapping.firstKey, "missing field '\(field.name)' in \(self.place)")
            }
        }
        for rule in object.rules {
            let found = rule.names.filter { members[$0] != nil }
                .compactMap { name in mapping[name].map { (name: name, mark: $0.keyMark) } }
                .sorted { $0.mark < $1.mark }
            let names = rule.names.joined(separator: ", ")
            switch rule {
            case .exactlyOne where found.isEmpty:
                self.report(mapping.firstKey, "\(self.place) needs exactly one of the fields \(names)")
            case .atLeastOne where found.isEmpty:
                self.report(mapping.firstKey, "\(self.place) needs at least one of the fields \(names)")
            case .exactlyOne where found.count > 1, .atMostOne where found.count > 1:
                self.report(
                    found[1].mark,
                    "\(self.place) has both '\(found[0].name)' and '\(found[1].name)'; only one of \(names) is allowed"
                )
            case .exactlyOne, .atMostOne, .atLeastOne:
                continue
            }
        }
    }

    private static func elements(_ count: Int) -> String {
        count == 1 ? "element" : "elements"
    }
}

/// The keys of a mapping that were met already.
private struct SeenKeys {
    /// Below this, going over the entries is faster than hashing their keys.
    private static let few = 16

    private let entries: [YAMLMapping.Entry]
    private var count = 0
    private var marks: [String: YAMLMark] = [:]

    init(_ mapping: YAMLMapping) {
        self.entries = mapping.entries
    }

    /// Takes in the next entry; where its key was met before, the answer is where.
    mutating func insert(_ entry: YAMLMapping.Entry) -> YAMLMark? {
        defer { self.count += 1 }
        guard self.entries.count > Self.few else {
            return self.entries[..<self.count].first { $0.key == entry.key }?.keyMark
        }
        if let mark = self.marks[entry.key] { return mark }
        self.marks[entry.key] = entry.keyMark
        return nil
    }
}

extension Shape {
    /// Whether null is a value of this shape rather than nothing.
    fileprivate var acceptsNull: Bool {
        switch self {
        case .any, .expression: true
        case .text, .integer, .number, .boolean, .word, .quantity, .reference, .secret, .object, .map, .list, .either,
            .named:
            false
        }
    }
}

extension YAMLNode {
    /// The outer form by which alternatives of a shape are told apart.
    var form: ValueForm {
        switch self.content {
        case .scalar: .scalar
        case .sequence: .list
        case .mapping: .mapping
        case .invalid: []
        }
    }

    /// Where a field stands, or the nearest value around it when it is not there.
    func mark(of path: FieldPath, at place: Finding.Place) -> YAMLMark {
        var node = self
        var mark = self.mark
        for component in path.components {
            switch (component, node.content) {
            case (.field(let name), .mapping(let mapping)):
                guard let entry = mapping.entries.first(where: { $0.key == name }) else { return mark }
                node = entry.value
                mark = place == .key ? entry.keyMark : node.mark
            case (.item(let index), .sequence(let elements)) where elements.indices.contains(index):
                node = elements[index]
                mark = node.mark
            case (.field, _), (.item, _):
                return mark
            }
        }
        if place == .firstKey, case .mapping(let mapping) = node.content { return mapping.firstKey }
        return mark
    }
}
