package import Planning
package import Schema

/// All manifests of one commit: what they declare together, and what is wrong between them.
///
/// A value that is changed file by file; a change costs what it touches, not what there is.
package struct ManifestIndex: Sendable {
    /// One file and the blob that it was read from.
    struct FileRecord: Sendable {
        var object: ObjectID
        var file: ManifestFile
        /// What the file declared before it could not be read any more.
        var remembered: Set<ResourceIdentity> = []

        var declared: Set<ResourceIdentity> {
            Set(self.file.resources.map(\.identity)).union(self.file.broken.keys)
        }
    }

    /// One document that declares a resource.
    struct Declaration: Sendable {
        var location: SourceLocation
        /// Nil where the document has an error.
        var resource: Resource?
        /// What the index calls its file.
        var file: String
        /// The overlay that it came through.
        var origin: ResourceOrigin?

        /// `base/m.yaml:1:1`, perhaps with the overlay.
        var place: String {
            "\(self.location)" + (self.origin.map { " through \($0.overlay)" } ?? "")
        }
    }

    private(set) var files: [String: FileRecord] = [:]
    private(set) var declarations: [ResourceIdentity: [Declaration]] = [:]
    /// Who names a resource that may or may not be there.
    private(set) var referrers: [ResourceIdentity: Set<ResourceIdentity>] = [:]
    private var unreadableFiles: Set<String> = []
    /// What files declared before they could not be read any more.
    private(set) var remembered: Set<ResourceIdentity> = []
    /// What has to be judged again, and what was said about it.
    private var pending = PendingChanges()
    var linking = ManifestLinking()

    /// The resources that are declared once and without an error, by identity.
    ///
    /// What a resource refers to may itself be in ``retained`` and not here: then the resource is blocked.
    package internal(set) var resources: [ResourceIdentity: Resource] = [:]
    /// Resources that are declared with an error, or twice.
    package internal(set) var broken: Set<ResourceIdentity> = []

    package init() {}

    /// Takes in files as they are now, forgets the files at `removed` paths, and says what that changes.
    @discardableResult
    package mutating func update(
        _ changed: [(file: ManifestFile, object: ObjectID)],
        removed: [String] = []
    ) -> ManifestChanges {
        for path in removed { self.replace(path, with: nil) }
        for (file, object) in changed { self.replace(file.path, with: FileRecord(object: object, file: file)) }
        let pending = self.pending
        self.pending = PendingChanges()
        return self.link(pending)
    }

    /// Takes in one file as it is now.
    @discardableResult
    package mutating func update(_ file: ManifestFile, object: ObjectID) -> ManifestChanges {
        self.update([(file, object)])
    }

    /// Forgets a file that is gone.
    @discardableResult
    package mutating func remove(path: String) -> ManifestChanges {
        self.update([], removed: [path])
    }

    /// Resources that are ``broken``, or were declared by a file that cannot be read now.
    ///
    /// Nothing of theirs is pruned, and what depends on them is blocked.
    package var retained: Set<ResourceIdentity> {
        self.remembered.subtracting(self.resources.keys).union(self.broken)
    }

    /// What all manifests together say about one resource.
    package func fact(about identity: ResourceIdentity) -> ManifestFact {
        if let resource = self.resources[identity] { return ManifestFact(resource: resource) }
        let isBroken = self.broken.contains(identity)
        return ManifestFact(
            isBroken: isBroken,
            isRetained: isBroken || self.remembered.contains(identity),
            error: self.diagnostics(of: identity).first { $0.severity == .error }
        )
    }

    /// Files with documents that cannot be told apart; what they declared before this index began is not known here.
    package var unreadablePaths: Set<String> { self.unreadableFiles }

    /// Documents of someone else's `apiVersion`.
    package var skippedForeignDocuments: Int {
        self.files.values.reduce(0) { $0 + $1.file.skippedForeignDocuments }
    }

    /// Everything that is wrong or doubtful, sorted by place.
    package var diagnostics: [Diagnostic] {
        (self.files.values.flatMap(\.file.diagnostics) + self.linking.diagnostics.values.joined()).sorted()
    }

    /// What is wrong or doubtful about one resource, sorted by place.
    package func diagnostics(of identity: ResourceIdentity) -> [Diagnostic] {
        let paths = Set((self.declarations[identity] ?? []).map(\.file))
        let own = paths.flatMap { self.files[$0]?.file.diagnostics ?? [] }.filter { $0.resource == identity }
        return (own + (self.linking.diagnostics[identity] ?? [])).sorted()
    }

    /// The paths of all files in the index.
    package var paths: some Collection<String> { self.files.keys }

    /// The blob that a path was read from, or nil when the index does not know the path.
    package func object(at path: String) -> ObjectID? { self.files[path]?.object }

    /// Whether a resource is declared, soundly or not, or may be declared by a file that cannot be read now.
    func exists(_ identity: ResourceIdentity) -> Bool {
        self.declarations[identity] != nil || self.remembered.contains(identity)
    }
}

// MARK: Files

extension ManifestIndex {
    /// What the files that were taken in or forgotten leave to be done.
    struct PendingChanges: Sendable {
        /// Resources of which a declaration is new or gone.
        var identities: Set<ResourceIdentity> = []
        /// What is named, or was, by one of them.
        var targets: Set<ResourceIdentity> = []
        var removedDiagnostics: [Diagnostic] = []
        var addedDiagnostics: [Diagnostic] = []
    }

    private mutating func replace(_ path: String, with record: FileRecord?) {
        let old = self.files[path]
        var record = record
        if record?.file.unreadable == true, let old {
            let declared = record?.declared ?? []
            record?.remembered = old.declared.union(old.remembered).subtracting(declared)
        }
        if let old { self.forget(old) }
        self.files[path] = record
        if let record { self.takeIn(record) }
        let isUnreadable = record?.file.unreadable == true
        guard isUnreadable || self.unreadableFiles.contains(path) else { return }
        if isUnreadable { self.unreadableFiles.insert(path) } else { self.unreadableFiles.remove(path) }
        self.remembered = self.unreadableFiles.reduce(into: []) { $0.formUnion(self.files[$1]?.remembered ?? []) }
    }

    private mutating func takeIn(_ record: FileRecord) {
        for resource in record.file.resources {
            self.declare(resource.identity, resource.location, resource, in: record.file)
        }
        for (identity, location) in record.file.broken {
            self.declare(identity, location, nil, in: record.file)
        }
        self.pending.identities.formUnion(record.remembered)
        self.pending.addedDiagnostics += record.file.diagnostics
    }

    private mutating func declare(
        _ identity: ResourceIdentity,
        _ location: SourceLocation,
        _ resource: Resource?,
        in file: ManifestFile
    ) {
        self.declarations[identity, default: []].append(
            Declaration(location: location, resource: resource, file: file.path, origin: file.origin)
        )
        self.declarations[identity]?.sort { ($0.location, $0.file) < ($1.location, $1.file) }
        self.noteReferences(of: identity)
        self.pending.identities.insert(identity)
    }

    private mutating func forget(_ record: FileRecord) {
        for identity in record.declared {
            for reference in self.declarations[identity]?.references ?? [] {
                self.referrers[reference.target]?.remove(identity)
                if self.referrers[reference.target]?.isEmpty == true { self.referrers[reference.target] = nil }
                self.pending.targets.insert(reference.target)
            }
            self.declarations[identity]?.removeAll { $0.file == record.file.path }
            if self.declarations[identity]?.isEmpty == true { self.declarations[identity] = nil }
            // Another file may declare the same identity and name the same others.
            self.noteReferences(of: identity)
        }
        self.pending.identities.formUnion(record.declared)
        self.pending.identities.formUnion(record.remembered)
        self.pending.removedDiagnostics += record.file.diagnostics
    }

    private mutating func noteReferences(of identity: ResourceIdentity) {
        for reference in self.declarations[identity]?.references ?? [] {
            self.referrers[reference.target, default: []].insert(identity)
            self.pending.targets.insert(reference.target)
        }
    }
}
