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
    case files(FoundFiles)
    case missing(message: String, word: String)

    /// What a source names.
    init(of source: ModelSpec.Source, _ find: () throws -> ArtifactSighting) {
        self = Self.sighting(source.uri, find)
    }

    /// What stands at a path of the repository, which may be a folder.
    init(at path: String, _ find: () throws -> FoundFiles) {
        self = Self.sighting(path) { .files(try find()) }
    }

    private static func sighting(_ name: String, _ look: () throws -> ArtifactSighting) -> ArtifactSighting {
        do {
            return try look()
        } catch let error as MartletError {
            return .missing(message: error.message, word: error.code)
        } catch {
            return .missing(message: "'\(name)' cannot be found: \(error)", word: "ArtifactMissing")
        }
    }

    var artifacts: [Artifact] {
        switch self {
        case .found(let found): [found.artifact]
        case .files(let files): files.files.map(\.artifact)
        case .missing: []
        }
    }

    var isMissing: Bool {
        switch self {
        case .found, .files: false
        case .missing: true
        }
    }

    var files: FoundFiles? {
        switch self {
        case .files(let files): files
        case .found, .missing: nil
        }
    }

    /// What makes two sightings the same to a revision; nil where there is nothing.
    var identity: String? {
        switch self {
        case .found(let found): found.artifact.identity
        case .files(let files): files.identity
        case .missing: nil
        }
    }
}

/// Which resources have to look again for their artifacts when files change.
struct ArtifactUsers: Sendable {
    /// By the file of the repository that they found.
    private var byFile: [String: Set<ResourceIdentity>] = [:]
    /// By the folder of the repository of which they take everything.
    private var byFolder: [String: Set<ResourceIdentity>] = [:]
    /// They found a file of the machine.
    private var outside: Set<ResourceIdentity> = []
    /// They found nothing, or followed a link: any change may be the one that matters to them.
    private var unsettled: Set<ResourceIdentity> = []

    mutating func remember(_ identity: ResourceIdentity, _ sightings: [ArtifactSighting]) {
        for sighting in sightings {
            switch sighting {
            case .missing: self.unsettled.insert(identity)
            case .files(let files) where files.isSettled && files.isFolder:
                self.byFolder[files.place, default: []].insert(identity)
            case .files(let files) where files.isSettled:
                self.byFile[files.place, default: []].insert(identity)
            case .files: self.unsettled.insert(identity)
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
        for sighting in sightings {
            switch sighting {
            case .found(let found):
                if let file = found.file { Self.remove(identity, at: file, from: &self.byFile) }
            case .files(let files) where files.isFolder: Self.remove(identity, at: files.place, from: &self.byFolder)
            case .files(let files): Self.remove(identity, at: files.place, from: &self.byFile)
            case .missing: break
            }
        }
    }

    private static func remove(
        _ identity: ResourceIdentity,
        at place: String,
        from users: inout [String: Set<ResourceIdentity>]
    ) {
        users[place]?.remove(identity)
        if users[place]?.isEmpty == true { users[place] = nil }
    }

    /// - Parameter looksAgain: Whether files outside of the repository may have changed.
    func users(of files: ManifestChanges.Files, looksAgain: Bool) -> Set<ResourceIdentity> {
        var users = looksAgain ? self.unsettled.union(self.outside) : self.unsettled
        switch files {
        case .any:
            for some in self.byFile.values { users.formUnion(some) }
            for some in self.byFolder.values { users.formUnion(some) }
        case .some(let files):
            for file in files { users.formUnion(self.byFile[file] ?? []) }
            guard !self.byFolder.isEmpty else { break }
            for folder in Set(files.flatMap { Self.folders(around: $0) }) {
                users.formUnion(self.byFolder[folder] ?? [])
            }
        }
        return users
    }

    /// Every folder that a file lies in, at any depth, the root among them.
    private static func folders(around file: String) -> [String] {
        file.indices.filter { file[$0] == "/" || file[$0] == ":" }.map { String(file[..<$0]) } + ["", file]
    }
}
