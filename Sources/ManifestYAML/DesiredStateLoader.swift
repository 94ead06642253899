package import Planning

/// Reads commits into desired states, each from what the read before left: the one way for controller and commands.
package struct DesiredStateLoader: Sendable {
    private let repository: any SourceRepository
    private let reader: CommitReader
    private let manifestReader: ManifestReader
    private let policies: PolicySources
    private let digests = BlobDigests()
    private var manifests: CommitManifests?
    /// The state of the commit that was loaded last.
    package private(set) var desired: DesiredState?

    /// - Parameters:
    ///   - subpath: Only manifests below this folder; empty for the whole repository.
    ///   - namespace: Of manifests that name none.
    ///   - knownEngines: Engines whose names raise no warning.
    ///   - policies: Policies from elsewhere, and how far those of the repository reach.
    package init(
        repository: any SourceRepository,
        subpath: String,
        namespace: String,
        knownEngines: Set<String> = ManifestReader.defaultEngines,
        policies: PolicySources = PolicySources()
    ) {
        self.repository = repository
        self.policies = policies
        self.manifestReader = ManifestReader(defaultNamespace: namespace, knownEngines: knownEngines)
        self.reader = CommitReader(repository: repository, subpath: subpath, manifests: self.manifestReader)
    }

    /// Whether some file cannot be read, so that nobody knows all that it declares.
    package var hasUnreadableFiles: Bool {
        self.manifests.map { !$0.index.unreadablePaths.isEmpty } ?? false
    }

    /// Loads a commit. Throws only what the repository throws, and then the state before still holds.
    package mutating func load(_ commit: CommitSummary) throws -> DesiredState {
        let manifests = try self.reader.read(commit.id, after: self.manifests)
        let index = manifests.index
        let artifacts = CommitArtifacts(repository: self.repository, commit: commit.id, digests: self.digests)
        let desired = DesiredStateBuilder.build(
            commit: commit,
            manifests: DesiredStateBuilder.Manifests(
                resources: Array(index.resources.values),
                diagnostics: index.diagnostics,
                broken: index.broken,
                retained: index.retained
            ),
            previous: self.desired,
            policies: self.policies,
            locate: FieldLocator(repository: self.repository, index: index, limits: self.manifestReader.limits).locate,
            artifact: artifacts.find,
            read: artifacts.read
        )
        self.manifests = manifests
        self.desired = desired
        return desired
    }
}
