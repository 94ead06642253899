internal import ArgumentParser
internal import Foundation
internal import Schema

/// How a verb prints its answer.
enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case table
    case wide
    case json
    case yaml
    case name
}

/// How an offline verb prints what it found.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
}

/// Renders anything encodable as JSON or YAML, the way the admin API spells it.
enum Rendering {
    /// Indented JSON with sorted keys.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Block-style YAML with sorted keys, without a line break at the end.
    static func yaml(_ value: some Encodable) throws -> String {
        let text = YAMLText.render(try JSONValue(parsing: Array(try JSONEncoder().encode(value))))
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
