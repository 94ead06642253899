internal import ArgumentParser
internal import Planning
internal import Schema

/// Reads names of resources as people type them.
enum ResourceName {
    /// `desk` or `shop/desk`. Throws when a part is no label or there are more than two.
    static func identity(_ kind: Kind, _ name: String, namespace: String) throws -> ResourceIdentity {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy({ TextFormat.isLabel($0) }) else {
            throw ValidationError(
                "'\(name)' is no name; write desk, or namespace/desk: \(TextFormat.label.expectation)"
            )
        }
        return parts.count == 2
            ? ResourceIdentity(kind, namespace: parts[0], name: parts[1])
            : ResourceIdentity(kind, namespace: namespace, name: name)
    }

    /// `endpoint/desk`, `endpoint/shop/desk`, `Endpoint/shop/desk`.
    static func identity(_ text: String, namespace: String) throws -> ResourceIdentity {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let kind = Kind(word: parts[0]) else {
            let words = Kind.allCases.map { $0.rawValue.lowercased() }
            let hint = NearestWord.hint(for: parts.first ?? text, among: words)
            throw ValidationError("'\(text)' names no resource; write kind/name, such as endpoint/desk\(hint)")
        }
        return try ResourceName.identity(kind, parts[1], namespace: namespace)
    }

    /// An endpoint's variant: `endpoint/desk`, or `desk`, with a tenant where it is that tenant's own.
    static func variant(_ text: String, tenant: String?, namespace: String) throws -> VariantID {
        let saysKind = text.contains("/") && Kind(word: String(text.prefix { $0 != "/" })) != nil
        let identity =
            saysKind
            ? try ResourceName.identity(text, namespace: namespace)
            : try ResourceName.identity(.endpoint, text, namespace: namespace)
        guard identity.kind == .endpoint else {
            throw ValidationError("\(identity) is no endpoint; only endpoints are rolled out")
        }
        return VariantID(namespace: identity.namespace, endpoint: identity.name, tenant: tenant)
    }
}
