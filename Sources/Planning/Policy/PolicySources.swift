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
        self.init(manifests: DesiredStateBuilder.Manifests(resources: []), sources: sources)
    }

    /// Gathers the policies of a commit and those from elsewhere.
    init(manifests: DesiredStateBuilder.Manifests, sources: PolicySources) {
        let repository = manifests.resources.filter { $0.identity.kind == .policy }
        self.policies = (sources.files.map { ($0, true) } + repository.map { ($0, false) }).compactMap {
            resource,
            isWide in
            guard case .policy(let spec) = resource.spec else { return nil }
            let reach = isWide ? .everything : PolicySet.reach(of: resource.identity, sources)
            return Policy(identity: resource.identity, spec: spec, reach: reach)
        }
        .sorted { $0.identity < $1.identity }
        let readable = Set(repository.map(\.identity))
        let unreadable = manifests.broken.union(manifests.retained).filter { $0.kind == .policy }
        self.broken = unreadable.subtracting(readable).sorted().map { identity in
            let error = manifests.diagnostics.filter { $0.resource == identity && $0.severity == .error }.min()
            return Broken(
                identity: identity,
                reach: PolicySet.reach(of: identity, sources),
                message: error.map { "\($0.location): \($0.message)" } ?? "the file that declared it cannot be read"
            )
        }
    }

    package var isEmpty: Bool { self.policies.isEmpty && self.broken.isEmpty }

    private static func reach(of identity: ResourceIdentity, _ sources: PolicySources) -> Policy.Reach {
        sources.wideNamespaces.contains(identity.namespace) ? .everything : .namespace(identity.namespace)
    }
}
