internal import ArgumentParser
internal import Planning
internal import Schema

/// Reads names of resources as people type them.
enum ResourceName {
    /// `desk` or `shop/desk`.
    static func identity(_ kind: Kind, _ name: String, namespace: String) -> ResourceIdentity {
        let parts = name.split(separator: "/", maxSplits: 1)
        return parts.count == 2
            ? ResourceIdentity(kind, namespace: String(parts[0]), name: String(parts[1]))
            : ResourceIdentity(kind, namespace: namespace, name: name)
    }

    /// `endpoint/desk`, `endpoint/shop/desk`, `Endpoint/shop/desk`.
    static func identity(_ text: String, namespace: String) throws -> ResourceIdentity {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, let kind = Kind(word: parts[0]) else {
            let words = Kind.allCases.map { $0.rawValue.lowercased() }
            let hint = Suggestion.text(for: parts.first ?? text, among: words)
            throw ValidationError("'\(text)' names no resource; write kind/name, such as endpoint/desk\(hint)")
        }
        return ResourceName.identity(kind, parts[1], namespace: namespace)
    }

    /// An endpoint's variant: `endpoint/desk`, or `desk`, with a tenant where it is that tenant's own.
    static func variant(_ text: String, tenant: String?, namespace: String) throws -> VariantID {
        let identity =
            Kind(word: String(text.prefix { $0 != "/" })) != nil && text.contains("/")
            ? try ResourceName.identity(text, namespace: namespace)
            : ResourceName.identity(.endpoint, text, namespace: namespace)
        guard identity.kind == .endpoint else {
            throw ValidationError("\(identity) is no endpoint; only endpoints are rolled out")
        }
        return VariantID(namespace: identity.namespace, endpoint: identity.name, tenant: tenant)
    }
}

/// `key=value,key=value`: all must match.
struct LabelSelector {
    private var wanted: [(key: String, value: String)] = []

    init(_ text: String?) throws {
        for term in (text ?? "").split(separator: ",") {
            let halves = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, !halves[0].isEmpty else {
                throw ValidationError("'\(term)' is no label selector; write key=value")
            }
            self.wanted.append((String(halves[0]), String(halves[1])))
        }
    }

    func matches(_ labels: [String: String]) -> Bool {
        self.wanted.allSatisfy { labels[$0.key] == $0.value }
    }
}
