package import Schema

extension DesiredStateBuilder {
    /// All that the manifests of a commit say, as their reader found them.
    package struct Manifests: Sendable {
        /// Every resource whose own document is valid; of two with one identity, the first.
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

        /// The same as a change from nothing.
        package var changes: ManifestChanges {
            var facts: [ResourceIdentity: ManifestFact] = [:]
            for resource in self.resources where facts[resource.identity] == nil {
                facts[resource.identity] = ManifestFact(resource: resource)
            }
            for identity in self.broken.union(self.retained) {
                let errors = self.diagnostics.filter { $0.resource == identity && $0.severity == .error }
                let isBroken = self.broken.contains(identity)
                facts[identity] = ManifestFact(
                    resource: isBroken ? nil : facts[identity]?.resource,
                    isBroken: isBroken,
                    isRetained: self.retained.contains(identity),
                    error: errors.min()
                )
            }
            return ManifestChanges(facts: facts, addedDiagnostics: self.diagnostics)
        }
    }

    /// Builds the desired state of one commit from nothing; revisions that `previous` has already are taken from there.
    package static func build(
        commit: CommitSummary,
        manifests: Manifests,
        previous: DesiredState? = nil,
        policies: PolicySources = PolicySources(),
        unavailable: UnavailableFields = .ofThisVersion,
        locate: @escaping PolicyReview.FieldLocator = { resource, field, _ in
            resource.fieldLocations[field.description] ?? resource.location
        },
        artifact: @escaping (ModelSpec.Source) throws -> Artifact,
        files: @escaping (String) throws -> FoundFiles = { path in
            throw MartletError("ArtifactMissing", "there is no '\(path)' in the repository")
        },
        read: @escaping (Artifact) throws -> [UInt8]
    ) -> DesiredState {
        var builder = DesiredStateBuilder(
            policies: policies,
            unavailable: unavailable,
            earlier: previous?.variants ?? [:]
        )
        let world = World(
            artifact: { source, _ in FoundArtifact(try artifact(source), file: nil) },
            files: { path, _ in try files(path) },
            read: { artifact, _ in try read(artifact) },
            documents: { _, path, _ in try files(path) },
            writtenAt: { _, _ in nil },
            locate: locate
        )
        return builder.update(to: commit, manifests.changes, in: world)
    }
}
