package import Schema

/// Resolves the manifests of one commit into a desired state: what answers, by which digests, and what stands in the
/// way of the rest.
///
/// What it needs of the world comes in as functions, so that a controller and a command far from any server build the
/// same state. The work grows with the number of manifests; revisions that `previous` has already are taken from there.
package struct DesiredStateBuilder {
    /// What the manifests of a commit say, as their reader found them.
    package struct Manifests: Sendable {
        /// Every resource whose own document is valid.
        package var resources: [Resource]
        package var diagnostics: [Diagnostic]
        /// Resources whose identity could be read, but whose document has errors.
        package var broken: Set<ResourceIdentity>
        /// Declared before by files that cannot be read now.
        package var retained: Set<ResourceIdentity>

        package init(
            resources: [Resource],
            diagnostics: [Diagnostic] = [],
            broken: Set<ResourceIdentity> = [],
            retained: Set<ResourceIdentity> = []
        ) {
            self.resources = resources
            self.diagnostics = diagnostics
            self.broken = broken
            self.retained = retained
        }
    }

    /// Finds the bytes that a source names in the commit or on this machine, without reading them. Throws a
    /// ``MartletError`` that says what is missing.
    package typealias ArtifactLookup = (ModelSpec.Source) throws -> Artifact
    /// Reads an artifact's bytes whole; only small ones are asked for. Throws a ``MartletError``.
    package typealias ArtifactReader = (Artifact) throws -> [UInt8]

    private let commit: CommitSummary
    private let manifests: Manifests
    private let previous: DesiredState?
    private var resolver: ResourceResolver
    private var variants: [VariantID: RevisionGraph] = [:]
    private var settings: [ResourceIdentity: EndpointSettings] = [:]

    private init(
        commit: CommitSummary,
        manifests: Manifests,
        previous: DesiredState?,
        review: PolicyReview,
        unavailable: UnavailableFields,
        artifact: @escaping ArtifactLookup,
        read: @escaping ArtifactReader
    ) {
        self.commit = commit
        self.manifests = manifests
        self.previous = previous
        self.resolver = ResourceResolver(
            manifests: manifests,
            review: review,
            unavailable: unavailable,
            artifact: artifact,
            read: read
        )
    }

    /// Builds the desired state of one commit. Never throws: what is wrong becomes diagnostics and blockers.
    ///
    /// - Parameters:
    ///   - policies: Policies from elsewhere, and how far those of the commit reach.
    ///   - unavailable: Fields that are refused by name, since nothing carries them out.
    ///   - locate: Finds where a field stands that breaks a policy.
    package static func build(
        commit: CommitSummary,
        manifests: Manifests,
        previous: DesiredState? = nil,
        policies: PolicySources = PolicySources(),
        unavailable: UnavailableFields = .ofThisVersion,
        locate: PolicyReview.FieldLocator = { resource, field, _ in
            resource.fieldLocations[field.description] ?? resource.location
        },
        artifact: @escaping ArtifactLookup,
        read: @escaping ArtifactReader
    ) -> DesiredState {
        let review = PolicyReview(
            of: manifests.resources,
            policies: PolicySet(manifests: manifests, sources: policies),
            previous: previous,
            locate: locate
        )
        var builder = DesiredStateBuilder(
            commit: commit,
            manifests: manifests,
            previous: previous,
            review: review,
            unavailable: unavailable,
            artifact: artifact,
            read: read
        )
        return builder.build()
    }

    private mutating func build() -> DesiredState {
        for resource in self.manifests.resources {
            if case .endpoint(let spec) = resource.spec {
                self.add(resource, spec)
            } else {
                _ = self.resolver.resolve(resource.identity)
            }
        }
        for identity in self.manifests.broken {
            _ = self.resolver.resolve(identity)
        }
        return DesiredState(
            commit: self.commit,
            resources: self.resolver.resources,
            diagnostics: (self.resolver.diagnostics + self.resolver.review.diagnostics).sorted(),
            variants: self.variants,
            settings: self.settings,
            blocked: self.resolver.blocked,
            retained: self.manifests.retained,
            policyReview: self.resolver.review
        )
    }

    private mutating func add(_ resource: Resource, _ spec: EndpointSpec) {
        let endpoint = resource.identity
        // Settings that a policy forbids must not come into force: those that were applied last stay.
        guard self.resolver.review.blocker(of: endpoint) == nil else {
            _ = self.resolver.resolve(endpoint)
            return
        }
        self.settings[endpoint] = EndpointSettings(of: spec, revision: RevisionRule.settings(of: resource))
        guard let serves = self.resolver.serves(of: resource, spec) else { return }
        var graphs: [RevisionGraph] = []
        for serve in serves {
            let revision = RevisionRule.revision(of: resource, serving: serve)
            if let known = self.previous?.variants[serve.variant], known.revision == revision {
                graphs.append(known)
            } else if let graph = self.resolver.graph(of: serve, spec, revision: revision, commit: self.commit.id) {
                graphs.append(graph)
            } else {
                return
            }
        }
        for graph in graphs { self.variants[graph.variant] = graph }
    }
}
