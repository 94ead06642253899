extension JSONValue {
    /// The one spelling of a value that digests are made of: keys sorted by UTF-8 bytes, no white space, integers
    /// without a point, other numbers in Swift's shortest round-trip form, only the escapes that JSON demands.
    package var canonicalJSON: String {
        var text = ""
        self.appendCanonical(to: &text)
        return text
    }

    private func appendCanonical(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): JSONValue.append(number: value, to: &text)
        case .string(let value): JSONValue.append(quoted: value, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.appendCanonical(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            let keys = members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for (index, key) in keys.enumerated() {
                if index > 0 { text += "," }
                JSONValue.append(quoted: key, to: &text)
                text += ":"
                members[key]?.appendCanonical(to: &text)
            }
            text += "}"
        }
    }

    private static func append(number: Double, to text: inout String) {
        if let integer = Int64(exactly: number) {
            text += String(integer)
        } else {
            // A manifest cannot hold NaN or infinity; should one come from elsewhere, JSON has only null for it.
            text += number.isFinite ? "\(number)" : "null"
        }
    }

    private static func append(quoted value: String, to text: inout String) {
        text += "\""
        defer { text += "\"" }
        guard value.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
            text += value
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
    }
}
