internal import Schema

extension YAMLNode {
    /// This value with an RFC 7386 merge patch applied: mappings merge, null removes, everything else replaces.
    ///
    /// Each value keeps the place that it came from.
    package func merging(_ patch: YAMLNode) -> YAMLNode {
        guard case .mapping(let changes) = patch.content else { return patch }
        var result = self
        var mapping = YAMLMapping(entries: [], firstKey: changes.firstKey)
        if case .mapping(let own) = self.content { mapping = own } else { result.mark = patch.mark }
        var isDone: Set<String> = []
        for change in changes.entries where isDone.insert(change.key).inserted {
            let position = mapping.entries.firstIndex { $0.key == change.key }
            if change.value.isNull {
                // All of them: a duplicate that is left would take the place of the one that is removed.
                mapping.entries.removeAll { $0.key == change.key }
            } else if let position {
                mapping.entries[position].value = mapping.entries[position].value.merging(change.value)
            } else {
                var entry = change
                entry.value = YAMLNode(.invalid, at: change.value.mark).merging(change.value)
                mapping.entries.append(entry)
            }
        }
        result.content = .mapping(mapping)
        return result
    }

    /// The same value with every place in `path`.
    func placed(in path: String) -> YAMLNode {
        var node = self
        node.mark.path = path
        switch self.content {
        case .scalar, .invalid: break
        case .sequence(let elements): node.content = .sequence(elements.map { $0.placed(in: path) })
        case .mapping(var mapping):
            mapping.firstKey.path = path
            for index in mapping.entries.indices {
                mapping.entries[index].keyMark.path = path
                mapping.entries[index].value = mapping.entries[index].value.placed(in: path)
            }
            node.content = .mapping(mapping)
        }
        return node
    }

    /// The value at a field path, as far as it is there.
    func value(at path: FieldPath) -> YAMLNode? {
        var node = self
        for component in path.components {
            switch (component, node.content) {
            case (.field(let name), .mapping):
                guard let next = node[name] else { return nil }
                node = next
            case (.item(let index), .sequence(let elements)) where elements.indices.contains(index):
                node = elements[index]
            case (.field, _), (.item, _): return nil
            }
        }
        return node
    }
}
