internal import ArgumentParser
internal import Foundation
package import Schema

/// How a verb prints its answer.
package enum OutputFormat: String, Sendable, CaseIterable {
    case table
    case wide
    case json
    case yaml
    case name
}

extension OutputFormat: ExpressibleByArgument {}

/// Renders anything encodable as JSON or YAML, the way the admin API spells it.
enum Rendering {
    /// Indented JSON with sorted keys.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Block-style YAML with sorted keys.
    static func yaml(_ value: some Encodable) throws -> String {
        let data = try JSONEncoder().encode(value)
        return YAMLText.render(try JSONDecoder().decode(JSONValue.self, from: data))
    }
}
