extension JSONValue {
    /// The value over several lines, two spaces for each level, keys sorted: for files that people read.
    package var prettyJSON: String {
        var text = ""
        self.appendPretty(to: &text, indent: "")
        return text
    }

    private func appendPretty(to text: inout String, indent: String) {
        let inner = indent + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty && elements.contains(where: { $0.form != .scalar }):
            text += "["
            for (index, element) in elements.enumerated() {
                text += (index > 0 ? ",\n" : "\n") + inner
                element.appendPretty(to: &text, indent: inner)
            }
            text += "\n\(indent)]"
        case .array(let elements):
            text += "[" + elements.map(\.canonicalJSON).joined(separator: ", ") + "]"
        case .object(let members) where !members.isEmpty:
            text += "{"
            let keys = members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for (index, key) in keys.enumerated() {
                text += (index > 0 ? ",\n" : "\n") + inner + JSONValue.string(key).canonicalJSON + ": "
                members[key]?.appendPretty(to: &text, indent: inner)
            }
            text += "\n\(indent)}"
        case .object, .null, .bool, .integer, .number, .string:
            text += self.canonicalJSON
        }
    }
}
