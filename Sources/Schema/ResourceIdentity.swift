/// Names one resource: `kind/namespace/name`.
package struct ResourceIdentity: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var kind: Kind
    package var namespace: String
    package var name: String

    package init(_ kind: Kind, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// The names tell nearly all apart; to hash a kind is to hash a word.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.namespace)
        hasher.combine(self.name)
    }

    /// `Endpoint/default/desk`.
    package var description: String {
        "\(self.kind.rawValue)/\(self.namespace)/\(self.name)"
    }

    /// Reads the form that ``description`` writes, or nil.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let kind = Kind(word: String(parts[0])), !parts[1].isEmpty, !parts[2].isEmpty else {
            return nil
        }
        self.init(kind, namespace: String(parts[1]), name: String(parts[2]))
    }

    package static func < (lhs: ResourceIdentity, rhs: ResourceIdentity) -> Bool {
        (lhs.kind, lhs.namespace, lhs.name) < (rhs.kind, rhs.namespace, rhs.name)
    }
}

extension ResourceIdentity: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let identity = ResourceIdentity(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not kind/namespace/name")
            )
        }
        self = identity
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
