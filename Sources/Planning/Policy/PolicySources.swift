package import Schema

/// Where policies come from beside the commit itself, as whoever runs the controller or a check says.
package struct PolicySources: Sendable, Hashable {
    /// Policies from files outside of the repository: nobody who writes to the repository can change them. They reach
    /// every namespace.
    package var files: [Resource]
    /// Namespaces whose policies reach every namespace.
    package var wideNamespaces: Set<String>

    package init(files: [Resource] = [], wideNamespaces: Set<String> = []) {
        self.files = files
        self.wideNamespaces = wideNamespaces
    }
}

/// The policies that one commit has to heed.
package struct PolicySet: Sendable, Hashable {
    /// A policy that nobody can read: all within its reach is held back, since nobody knows what it forbids.
    package struct Broken: Sendable, Hashable {
        package var identity: ResourceIdentity
        package var reach: Policy.Reach
        package var message: String
    }

    /// Sorted by identity.
    package private(set) var policies: [Policy] = []
    package private(set) var broken: [Broken] = []

    package init() {}

    /// The policies from elsewhere alone.
    init(sources: PolicySources) {
        self.init(of: [:], sources: sources)
    }

    /// Gathers the policies of a commit, by what its manifests say about policies, and those from elsewhere.
    init(of facts: [ResourceIdentity: ManifestFact], sources: PolicySources) {
        let repository = facts.values.compactMap(\.resource)
        self.policies = (sources.files.map { ($0, true) } + repository.map { ($0, false) }).compactMap {
            resource,
            isWide in
            guard case .policy(let spec) = resource.spec else { return nil }
            let reach = isWide ? .everything : PolicySet.reach(of: resource.identity, sources)
            let source = isWide ? nil : SourcePath(resource.location.path)?.source
            return Policy(identity: resource.identity, spec: spec, reach: reach, source: source)
        }
        .sorted { $0.identity < $1.identity }
        let unreadable = facts.filter { $0.value.resource == nil }.sorted { $0.key < $1.key }
        self.broken = unreadable.map { identity, fact in
            return Broken(
                identity: identity,
                reach: PolicySet.reach(of: identity, sources),
                message: fact.error.map { "\($0.location): \($0.message)" }
                    ?? "the file that declared it cannot be read"
            )
        }
    }

    package var isEmpty: Bool { self.policies.isEmpty && self.broken.isEmpty }

    private static func reach(of identity: ResourceIdentity, _ sources: PolicySources) -> Policy.Reach {
        sources.wideNamespaces.contains(identity.namespace) ? .everything : .namespace(identity.namespace)
    }
}
