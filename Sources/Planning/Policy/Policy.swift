package import Schema

/// A policy in force, with what it may speak about.
package struct Policy: Sendable, Hashable {
    /// What a policy may speak about at most; its own `match` narrows this further.
    package enum Reach: Sendable, Hashable {
        /// The resources of the policy's own namespace.
        case namespace(String)
        /// The resources of every namespace: whoever runs the controller says so.
        case everything

        package func contains(_ identity: ResourceIdentity) -> Bool {
            switch self {
            case .namespace(let namespace): identity.namespace == namespace
            case .everything: true
            }
        }
    }

    package var identity: ResourceIdentity
    package var spec: PolicySpec
    package var reach: Reach
    /// The source that declares it, where there are several; nil for a policy from a file outside of all.
    package var source: String?

    package init(identity: ResourceIdentity, spec: PolicySpec, reach: Reach, source: String? = nil) {
        self.identity = identity
        self.spec = spec
        self.reach = reach
        self.source = source
    }

    /// Whether its signature rules are about the paths of a source: its own, or any where it reaches everything.
    func guardsPaths(of source: String) -> Bool {
        source.isEmpty || self.source == source || self.reach == .everything
    }

    /// Whether a resource has to heed this policy. Policies themselves never have to: one that blocked another would
    /// take its rules out of force.
    package func matches(_ resource: Resource) -> Bool {
        guard resource.identity.kind != .policy, self.reach.contains(resource.identity) else { return false }
        let match = self.spec.match
        if let kinds = match.kinds, !kinds.contains(resource.identity.kind) { return false }
        if let namespaces = match.namespaces,
            !namespaces.contains(where: {
                NamePattern($0).matches(resource.identity.namespace)
            })
        {
            return false
        }
        return (match.labels ?? [:]).allSatisfy { resource.labels[$0.key] == $0.value }
    }
}

/// A name in which `*` stands for any letters.
struct NamePattern {
    private let parts: [Substring]

    init(_ text: String) {
        self.parts = text.split(separator: "*", omittingEmptySubsequences: false)
    }

    func matches(_ name: String) -> Bool {
        guard let first = self.parts.first, let last = self.parts.last, self.parts.count > 1 else {
            return self.parts.first.map { $0 == name } ?? name.isEmpty
        }
        guard name.hasPrefix(first), name.hasSuffix(last), name.utf8.count >= first.utf8.count + last.utf8.count
        else { return false }
        var rest = name.dropFirst(first.count).dropLast(last.count)
        for part in self.parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
