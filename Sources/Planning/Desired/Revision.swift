package import Schema

/// Names one way for an endpoint's variant to answer: a digest over `serve`, `chat` and everything they reach.
package struct Revision: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var digest: Digest

    package init(_ digest: Digest) {
        self.digest = digest
    }

    /// The first 10 hexadecimal digits, as people see it.
    package var description: String { self.digest.short }

    package static func < (lhs: Revision, rhs: Revision) -> Bool { lhs.digest < rhs.digest }

    package init(from decoder: any Decoder) throws {
        self.digest = try Digest(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        try self.digest.encode(to: encoder)
    }
}

/// Names an endpoint's default service, or one tenant's own.
package struct VariantID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var namespace: String
    package var endpoint: String
    /// Nil for the default variant.
    package var tenant: String?

    package init(namespace: String, endpoint: String, tenant: String? = nil) {
        self.namespace = namespace
        self.endpoint = endpoint
        self.tenant = tenant
    }

    /// The default variant of an endpoint.
    package init(defaultOf endpoint: ResourceIdentity) {
        self.init(namespace: endpoint.namespace, endpoint: endpoint.name)
    }

    /// The endpoint that this is a variant of.
    package var resource: ResourceIdentity {
        ResourceIdentity(.endpoint, namespace: self.namespace, name: self.endpoint)
    }

    /// `default/desk`, or `default/desk@acme`.
    package var description: String {
        "\(self.namespace)/\(self.endpoint)" + (self.tenant.map { "@\($0)" } ?? "")
    }

    /// Reads the form that ``description`` writes, or nil.
    package init?(_ text: String) {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(
            namespace: String(parts[0]),
            endpoint: String(parts[1]),
            tenant: halves.count == 2 ? String(halves[1]) : nil
        )
    }

    package static func < (lhs: VariantID, rhs: VariantID) -> Bool {
        (lhs.namespace, lhs.endpoint, lhs.tenant ?? "") < (rhs.namespace, rhs.endpoint, rhs.tenant ?? "")
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = VariantID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not namespace/endpoint[@tenant]")
            )
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
