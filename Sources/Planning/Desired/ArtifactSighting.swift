internal import Schema

/// An artifact that was found, and where.
package struct FoundArtifact: Sendable, Hashable {
    package var artifact: Artifact
    /// The file of the repository that nothing but a change of itself can take away or replace; nil where a symbolic
    /// link leads to it, and outside of the repository.
    package var file: String?

    package init(_ artifact: Artifact, file: String?) {
        self.artifact = artifact
        self.file = file
    }
}

/// What stood where a manifest names an artifact, when somebody looked.
enum ArtifactSighting: Sendable, Hashable {
    case found(FoundArtifact)
    case missing(message: String, word: String)

    init(of source: ModelSpec.Source, _ find: () throws -> FoundArtifact) {
        do {
            self = .found(try find())
        } catch let error as MartletError {
            self = .missing(message: error.message, word: error.code)
        } catch {
            self = .missing(message: "'\(source.uri)' cannot be found: \(error)", word: "ArtifactMissing")
        }
    }

    var artifact: Artifact? {
        switch self {
        case .found(let found): found.artifact
        case .missing: nil
        }
    }
}

/// Which resources have to look again for their artifacts when files change.
struct ArtifactUsers: Sendable {
    /// By the file of the repository that they found.
    private var byFile: [String: Set<ResourceIdentity>] = [:]
    /// They found a file of the machine.
    private var outside: Set<ResourceIdentity> = []
    /// They found nothing, or followed a link: any change may be the one that matters to them.
    private var unsettled: Set<ResourceIdentity> = []

    mutating func remember(_ identity: ResourceIdentity, _ sightings: [ArtifactSighting]) {
        for sighting in sightings {
            switch sighting {
            case .missing: self.unsettled.insert(identity)
            case .found(let found):
                switch (found.file, found.artifact.location) {
                case (let file?, _): self.byFile[file, default: []].insert(identity)
                case (nil, .file): self.outside.insert(identity)
                case (nil, .repository): self.unsettled.insert(identity)
                }
            }
        }
    }

    mutating func forget(_ identity: ResourceIdentity, _ sightings: [ArtifactSighting]) {
        guard !sightings.isEmpty else { return }
        self.outside.remove(identity)
        self.unsettled.remove(identity)
        for case .found(let found) in sightings {
            guard let file = found.file else { continue }
            self.byFile[file]?.remove(identity)
            if self.byFile[file]?.isEmpty == true { self.byFile[file] = nil }
        }
    }

    /// - Parameter looksAgain: Whether files outside of the repository may have changed.
    func users(of files: ManifestChanges.Files, looksAgain: Bool) -> Set<ResourceIdentity> {
        var users = looksAgain ? self.unsettled.union(self.outside) : self.unsettled
        switch files {
        case .any: for some in self.byFile.values { users.formUnion(some) }
        case .some(let files): for file in files { users.formUnion(self.byFile[file] ?? []) }
        }
        return users
    }
}
