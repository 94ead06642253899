package import Schema

/// Resolves manifests into a desired state: what answers, by which digests, and what stands in the way of the rest.
///
/// It remembers what it found for each resource. The next state costs what changed: the resources themselves, those
/// that reach them, and those whose files are not what they were. A state does not depend on the way that led to it,
/// but for the commit that a revision was first read from.
///
/// What it needs of the world comes in as functions, so that a controller and a command far from any server build the
/// same state.
package struct DesiredStateBuilder: Sendable {
    /// The files around one commit.
    package struct World {
        /// Finds the bytes that a source of a resource names, without reading them. Throws a ``MartletError`` that says
        /// what is missing.
        package var artifact: (ModelSpec.Source, Resource) throws -> FoundArtifact
        /// Finds the file, or all the files of the folder, at a path of the repository. Throws a ``MartletError`` that
        /// says what is missing.
        package var files: (String, Resource) throws -> FoundFiles
        /// Finds the file, or the files of the folder, at a path that a knowledge base names. Throws a ``MartletError``.
        package var documents: (KnowledgeBaseSpec.Documents, String, Resource) throws -> FoundFiles
        /// When an artifact's bytes became what they are; nil where nobody knows.
        package var writtenAt: (Artifact, Resource) throws -> Timestamp?
        /// Reads an artifact's bytes whole; only small ones are asked for. Throws a ``MartletError``.
        package var read: (Artifact, Resource) throws -> [UInt8]
        /// Finds where a field stands that breaks a policy.
        package var locate: PolicyReview.FieldLocator

        package init(
            artifact: @escaping (ModelSpec.Source, Resource) throws -> FoundArtifact,
            files: @escaping (String, Resource) throws -> FoundFiles,
            read: @escaping (Artifact, Resource) throws -> [UInt8],
            documents: @escaping (KnowledgeBaseSpec.Documents, String, Resource) throws -> FoundFiles,
            writtenAt: @escaping (Artifact, Resource) throws -> Timestamp?,
            locate: @escaping PolicyReview.FieldLocator = { resource, field, _ in
                resource.fieldLocations[field.description] ?? resource.location
            }
        ) {
            self.artifact = artifact
            self.files = files
            self.documents = documents
            self.writtenAt = writtenAt
            self.read = read
            self.locate = locate
        }
    }

    private let policies: PolicySources
    private var resolver: ResourceResolver
    private var diagnostics = SortedDiagnostics()
    private var policyDiagnostics: [Diagnostic] = []
    private var variants: [VariantID: RevisionGraph] = [:]
    private var settings: [ResourceIdentity: EndpointSettings] = [:]
    private var isFirst = true
    /// Graphs that an earlier builder made: those whose revision is met again are taken from here.
    private var earlier: [VariantID: RevisionGraph] = [:]

    /// The resources about which the last update says something else than the one before; nil after the first one.
    package private(set) var changed: Set<ResourceIdentity>?

    /// Begins with nothing.
    ///
    /// - Parameters:
    ///   - policies: Policies from elsewhere, and how far those of the commit reach.
    ///   - unavailable: Fields that are refused by name, since nothing carries them out.
    ///   - earlier: Revisions that were resolved before; one that is met again is not resolved anew.
    package init(
        policies: PolicySources = PolicySources(),
        unavailable: UnavailableFields = .ofThisVersion,
        earlier: [VariantID: RevisionGraph] = [:]
    ) {
        self.policies = policies
        self.earlier = earlier
        self.resolver = ResourceResolver(unavailable: unavailable)
    }

    /// Goes on to the state of another commit. Never throws: what is wrong becomes diagnostics and blockers.
    ///
    /// - Parameter looksAgain: Whether files outside of the repository may have changed.
    package mutating func update(
        to commit: CommitSummary,
        _ changes: ManifestChanges,
        in world: World,
        looksAgain: Bool = false
    ) -> DesiredState {
        var changed = self.resolver.learn(changes.facts)
        self.diagnostics.replace(changes.removedDiagnostics, with: changes.addedDiagnostics)
        let isJudgedAnew = self.review(changes, in: world, &changed)
        var touched = Set(changes.facts.keys)
        touched.formUnion(self.resolver.misplaced(changes.files, looksAgain: looksAgain, in: world))
        let open = isJudgedAnew ? self.resolver.everything : self.resolver.reaching(touched)
        let before = self.resolver.forget(open)
        self.diagnostics.replace(before.values.flatMap(\.diagnostics), with: [])
        for identity in open { self.resolver.resolve(identity, in: world) }
        for identity in open {
            let endpointChanged = identity.kind == .endpoint && self.apply(identity, of: commit)
            if self.resolver.hasMoved(identity, since: before[identity]) || endpointChanged { changed.insert(identity) }
        }
        // Whoever read the manifests may have seen it too.
        let found = self.resolver.diagnostics(of: open).filter { !self.diagnostics.hasError(at: $0.location) }
        self.diagnostics.replace([], with: found)
        self.resolver.finish()
        self.changed = self.isFirst || isJudgedAnew ? nil : changed
        self.isFirst = false
        self.earlier = [:]
        return DesiredState(
            commit: commit,
            resources: self.resolver.resources,
            diagnostics: self.diagnostics.all,
            variants: self.variants,
            settings: self.settings,
            blocked: self.resolver.blocked,
            retained: self.resolver.retained,
            policyReview: self.resolver.review
        )
    }

    /// Asks the policies about what changed, or about everything when they changed themselves: then it is true.
    private mutating func review(
        _ changes: ManifestChanges,
        in world: World,
        _ changed: inout Set<ResourceIdentity>
    ) -> Bool {
        var isAnew = false
        if self.isFirst || changes.facts.keys.contains(where: { $0.kind == .policy }) {
            let policies = PolicySet(of: self.resolver.policyFacts, sources: self.policies)
            isAnew = policies != self.resolver.review.policies
            if isAnew { self.resolver.review = PolicyReview(policies: policies) }
        }
        let names = isAnew ? Array(self.resolver.resources.keys) : Array(changes.facts.keys)
        changed.formUnion(self.resolver.review.review(names, in: self.resolver.resources, world.locate))
        let diagnostics = self.resolver.review.diagnostics.sorted()
        if diagnostics != self.policyDiagnostics {
            self.diagnostics.replace(self.policyDiagnostics, with: diagnostics)
            self.policyDiagnostics = diagnostics
        }
        return isAnew
    }

    /// Brings an endpoint's settings and variants up to date; true when any of them is not what it was.
    private mutating func apply(_ endpoint: ResourceIdentity, of commit: CommitSummary) -> Bool {
        let resource = self.resolver.resources[endpoint]
        var settings: EndpointSettings?
        var graphs: [RevisionGraph] = []
        // Settings that a policy forbids must not come into force: those that were applied last stay.
        if let resource, case .endpoint(let spec) = resource.spec, self.resolver.review.blocker(of: endpoint) == nil {
            settings = EndpointSettings(of: spec, revision: RevisionRule.settings(of: resource))
            graphs = self.graphs(of: resource, spec, commit: commit)
        }
        let old = self.resolver.variants[endpoint] ?? []
        let isSame =
            self.settings[endpoint] == settings && old == graphs.map(\.variant)
            && graphs.allSatisfy { self.variants[$0.variant] == $0 }
        guard !isSame else { return false }
        self.settings[endpoint] = settings
        for variant in old { self.variants[variant] = nil }
        for graph in graphs { self.variants[graph.variant] = graph }
        self.resolver.variants[endpoint] = graphs.isEmpty ? nil : graphs.map(\.variant)
        return true
    }

    private mutating func graphs(of endpoint: Resource, _ spec: EndpointSpec, commit: CommitSummary) -> [RevisionGraph]
    {
        let services = self.resolver.services(of: endpoint, spec) ?? []
        let (source, commit) = (commit.source(of: endpoint.location), commit.id(at: endpoint.location))
        return services.compactMap { service in
            let revision = RevisionRule.revision(of: endpoint, serving: service)
            let known = self.variants[service.variant] ?? self.earlier[service.variant]
            if let known, known.revision == revision, known.source == source { return known }
            var graph = self.resolver.graph(of: service, spec, revision: revision, commit: commit)
            graph.source = source
            return graph
        }
    }
}
