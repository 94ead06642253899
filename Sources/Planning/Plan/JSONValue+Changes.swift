package import Schema

extension JSONValue {
    /// The paths at which two values differ, in the order of keys and elements: `spec.messages[0].content`.
    package static func changedFields(from old: JSONValue, to new: JSONValue, at path: String) -> [String] {
        if old == new { return [] }
        switch (old, new) {
        case (.object(let before), .object(let after)):
            return Set(before.keys).union(after.keys).sorted().flatMap { key -> [String] in
                let path = "\(path).\(key)"
                guard let old = before[key], let new = after[key] else { return [path] }
                return self.changedFields(from: old, to: new, at: path)
            }
        case (.array(let before), .array(let after)):
            return (0..<max(before.count, after.count)).flatMap { index -> [String] in
                let path = "\(path)[\(index)]"
                guard index < before.count, index < after.count else { return [path] }
                return self.changedFields(from: before[index], to: after[index], at: path)
            }
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _):
            return [path]
        }
    }
}
