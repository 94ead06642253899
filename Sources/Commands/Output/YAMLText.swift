internal import Schema

/// Writes a JSON value as block-style YAML that reads back as the same value.
enum YAMLText {
    static func render(_ value: JSONValue) -> String {
        var text = ""
        YAMLText.append(value, indent: 0, afterKey: false, to: &text)
        return text
    }

    private static func append(_ value: JSONValue, indent: Int, afterKey: Bool, to text: inout String) {
        switch value {
        case .object(let members) where !members.isEmpty:
            if afterKey { text += "\n" }
            for (index, key) in members.keys.sorted().enumerated() {
                let pad = index == 0 && !afterKey ? "" : String(repeating: " ", count: indent)
                text += pad + YAMLText.scalar(.string(key)) + ":"
                YAMLText.append(members[key] ?? .null, indent: indent + 2, afterKey: true, to: &text)
            }
        case .array(let elements) where !elements.isEmpty:
            if afterKey { text += "\n" }
            let pad = String(repeating: " ", count: max(indent - 2, 0))
            for (index, element) in elements.enumerated() {
                text += (index == 0 && !afterKey ? "" : pad) + "- "
                YAMLText.append(element, indent: max(indent - 2, 0) + 2, afterKey: false, to: &text)
            }
        case .null, .bool, .integer, .number, .string, .array, .object:
            text += (afterKey ? " " : "") + YAMLText.scalar(value) + "\n"
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        guard case .string(let string) = value, YAMLText.isPlain(string) else { return value.canonicalJSON }
        return string
    }

    /// Whether a string may stand without quotes and still be read as that string.
    private static func isPlain(_ string: String) -> Bool {
        guard let first = string.unicodeScalars.first, first.properties.isAlphabetic || first == "/" else { return false }
        let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        if words.contains(string.lowercased()) { return false }
        if string.hasSuffix(" ") || string.hasSuffix(":") || string.contains(": ") || string.contains(" #") {
            return false
        }
        return string.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && scalar.value < 0x7F && !"{}[],&*!|>'\"%@`".unicodeScalars.contains(scalar)
        }
    }
}
