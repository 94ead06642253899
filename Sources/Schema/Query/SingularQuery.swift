/// A reference to one value: an RFC 9535 singular query such as `$.steps.triage.output.intent`.
package struct SingularQuery: Sendable, Hashable, CustomStringConvertible {
    package enum Segment: Sendable, Hashable {
        /// The member of an object.
        case name(String)
        /// The element of an array; negative ones count from the end.
        case index(Int)
    }

    package var segments: [Segment]

    package init(segments: [Segment]) {
        self.segments = segments
    }

    /// Whether a string of a manifest stands for a reference: it does when it begins with `$`.
    package static func isReference(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "$")
    }

    /// The value that the query selects, or nil when there is none.
    package func evaluate(on root: JSONValue) -> JSONValue? {
        var value = root
        for segment in self.segments {
            switch (segment, value) {
            case (.name(let name), .object(let members)):
                guard let member = members[name] else { return nil }
                value = member
            case (.index(let index), .array(let elements)):
                let position = index < 0 ? elements.count + index : index
                guard elements.indices.contains(position) else { return nil }
                value = elements[position]
            case (.name, _), (.index, _):
                return nil
            }
        }
        return value
    }

    /// The shortest spelling that parses to this query again.
    package var description: String {
        var text = "$"
        for segment in self.segments {
            switch segment {
            case .index(let index): text += "[\(index)]"
            case .name(let name) where SingularQueryParser.isShorthand(name): text += ".\(name)"
            case .name(let name): text += "['\(SingularQuery.escaped(name))']"
            }
        }
        return text
    }

    private static func escaped(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "'": text += "\\'"
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{c}": text += "\\f"
            default:
                if scalar.value < 0x20 {
                    text += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        return text
    }
}

extension SingularQuery {
    /// Says what is wrong with a reference, and where.
    package struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
        /// In characters from the beginning of the query.
        package var offset: Int
        package var problem: String

        package var description: String { self.problem }
    }

    /// Parses a reference by the grammar `abs-singular-query` of RFC 9535.
    package init(_ text: String) throws(SyntaxError) {
        var parser = SingularQueryParser(text)
        self.segments = try parser.parse()
    }
}

extension SingularQuery: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.problem)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
