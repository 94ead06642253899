internal import Foundation
internal import Schema

/// Writes a JSON value as block-style YAML that reads back as the same value.
enum YAMLText {
    /// The value as one document, keys sorted, with a line break at the end.
    static func render(_ value: JSONValue) -> String {
        YAMLText.lines(of: value).joined(separator: "\n") + "\n"
    }

    /// The lines of a value that begins a line of its own, without indentation.
    private static func lines(of value: JSONValue) -> [String] {
        switch value {
        case .object(let members) where !members.isEmpty:
            members.sorted { $0.key < $1.key }.flatMap { YAMLText.lines(of: $0.value, afterKey: $0.key) }
        case .array(let elements) where !elements.isEmpty:
            elements.flatMap { element in
                YAMLText.lines(of: element).enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
            }
        case .string(let text):
            YAMLText.block(text) ?? [YAMLText.scalar(value)]
        case .null, .bool, .integer, .number, .array, .object:
            [YAMLText.scalar(value)]
        }
    }

    private static func lines(of value: JSONValue, afterKey key: String) -> [String] {
        let key = YAMLText.scalar(.string(key)) + ":"
        switch value {
        case .object(let members) where !members.isEmpty:
            return [key] + YAMLText.lines(of: value).map { "  " + $0 }
        case .array(let elements) where !elements.isEmpty:
            return [key] + YAMLText.lines(of: value)
        case .null, .bool, .integer, .number, .string, .array, .object:
            let lines = YAMLText.lines(of: value)
            return ["\(key) \(lines[0])"] + lines.dropFirst()
        }
    }

    /// A text of several lines as a literal block, or nil where only quotes keep it as it is.
    private static func block(_ text: String) -> [String]? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 1, let first = lines.first, let start = first.first, start != " " else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0 == "\n" || YAMLText.isPrintable($0) }) else { return nil }
        let blanks = lines.reversed().prefix { $0.isEmpty }.count
        let header = blanks == 0 ? "|-" : blanks == 1 ? "|" : "|+"
        let body = blanks == 0 ? lines[...] : lines.dropLast()
        return [header] + body.map { $0.isEmpty ? "" : "  " + $0 }
    }

    private static func scalar(_ value: JSONValue) -> String {
        guard case .string(let text) = value else { return value.canonicalJSON }
        return YAMLText.isPlain(text) ? text : YAMLText.quoted(text)
    }

    /// Double quotes, with every character escaped that a YAML reader would refuse or fold.
    private static func quoted(_ text: String) -> String {
        var quoted = ""
        for scalar in JSONValue.string(text).canonicalJSON.unicodeScalars {
            if YAMLText.isPrintable(scalar) {
                quoted.unicodeScalars.append(scalar)
            } else {
                quoted += String(format: "\\U%08X", scalar.value)
            }
        }
        return quoted
    }

    /// Whether a reader takes the character as it is and for no line break; the byte order mark is left out too.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x1_0000...0x10_FFFF: true
        default: false
        }
    }

    /// Whether a string may stand without quotes and still be read as that string, by readers of YAML 1.1 too.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.properties.isAlphabetic || first == "/" else { return false }
        let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        if words.contains(text.lowercased()) || text.hasSuffix(" ") || text.hasSuffix(":") { return false }
        if text.contains(": ") || text.contains(" #") { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && scalar.value < 0x7F && !"{}[],&*!|>'\"%@`".unicodeScalars.contains(scalar)
        }
    }
}
