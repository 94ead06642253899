package import Planning
package import Schema

/// Reads commits into desired states, each from what the read before left: the one way for controller and commands.
package struct DesiredStateLoader: Sendable {
    private let repository: any SourceRepository
    private let reader: CommitReader
    private let manifestReader: ManifestReader
    private var builder: DesiredStateBuilder
    private let digests = BlobDigests()
    private var manifests: CommitManifests?
    /// The state of the commit that was loaded last.
    package private(set) var desired: DesiredState?

    /// - Parameters:
    ///   - subpath: Only manifests below this folder; empty for the whole repository.
    ///   - namespace: Of manifests that name none.
    ///   - knownEngines: Engines whose names raise no warning.
    ///   - policies: Policies from elsewhere, and how far those of the repository reach.
    ///   - scopes: What each source may declare, by name; with one source, by the empty name, or not at all.
    package init(
        repository: any SourceRepository,
        subpath: String,
        namespace: String,
        knownEngines: Set<String> = ManifestReader.defaultEngines,
        policies: PolicySources = PolicySources(),
        scopes: [String: NamespaceScope] = [:]
    ) {
        self.repository = repository
        self.builder = DesiredStateBuilder(policies: policies)
        var manifestReader = ManifestReader(defaultNamespace: namespace, knownEngines: knownEngines)
        manifestReader.scopes = scopes
        self.manifestReader = manifestReader
        self.reader = CommitReader(repository: repository, subpath: subpath, manifests: self.manifestReader)
    }

    /// Whether some file cannot be read, so that nobody knows all that it declares.
    package var hasUnreadableFiles: Bool {
        self.manifests.map { !$0.index.unreadablePaths.isEmpty } ?? false
    }

    /// What the overlays of the commit that was loaded last bring in.
    package var inclusions: [OverlayInclusion] {
        self.manifests?.overlays.values.map { record in
            let nested = record.included.filter(\.value.hasOverlays).keys
                .compactMap { $0.split(separator: OverlayExpander.separator).last.map(String.init) }
            return OverlayInclusion(overlay: record.identity, folders: record.folders, nested: Set(nested))
        } ?? []
    }

    /// The resources about which the last state says something else than the one before: their manifests, what is in
    /// their way, their settings or variants; nil where it may be any.
    package var changed: Set<ResourceIdentity>? { self.builder.changed }

    /// Loads a commit, which may be the one that was loaded last: then files outside of the repository are looked for
    /// again.
    ///
    /// Throws only what the repository throws, and then the state before still holds.
    package mutating func load(_ commit: CommitSummary) throws -> DesiredState {
        let changes = try self.reader.replace(&self.manifests, with: commit.id)
        let artifacts = CommitArtifacts(repository: self.repository, commit: commit.id, digests: self.digests)
        let locator = self.manifests.map {
            FieldLocator(repository: self.repository, index: $0.index, limits: self.manifestReader.limits)
        }
        let desired = self.builder.update(
            to: commit,
            changes,
            in: DesiredStateBuilder.World(
                artifact: { try artifacts.of(commit.source(of: $1.location)).find($0) },
                files: { try artifacts.of(commit.source(of: $1.location)).findFiles(at: $0) },
                read: { artifact, _ in try artifacts.read(artifact) },
                documents: { try artifacts.of(commit.source(of: $2.location)).findDocuments($0, at: $1) },
                writtenAt: { artifact, _ in try artifacts.writtenAt(artifact) },
                locate: { locator?.locate($0, $1, $2) ?? $0.location }
            ),
            looksAgain: commit.id == self.desired?.commit.id
        )
        self.desired = desired
        return desired
    }
}

/// What an overlay brings in.
package struct OverlayInclusion: Sendable {
    package var overlay: ResourceIdentity
    /// The folders whose manifests come through, directly or through further overlays.
    package var folders: Set<String>
    /// The paths of files there in which further overlays stand.
    package var nested: Set<String>
}
