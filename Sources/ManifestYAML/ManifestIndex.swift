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
    }

    private(set) var files: [String: FileRecord] = [:]
    private(set) var declarations: [ResourceIdentity: [Declaration]] = [:]
    /// Who names a resource that may or may not be there.
    private var referrers: [ResourceIdentity: Set<ResourceIdentity>] = [:]
    private var linkDiagnostics: [ResourceIdentity: [Diagnostic]] = [:]
    private var unreadableFiles: Set<String> = []
    private var chainsOfChains: Set<ResourceIdentity> = []
    private var dirty: Set<ResourceIdentity> = []

    /// The resources that are declared once and without an error, by identity.
    ///
    /// What a resource refers to may itself be in ``retained`` and not here: then the resource is blocked.
    package private(set) var resources: [ResourceIdentity: Resource] = [:]

    package init() {}

    /// Takes in files as they are now, and forgets the files at `removed` paths.
    package mutating func update(_ changed: [(file: ManifestFile, object: ObjectID)], removed: [String] = []) {
        for path in removed { self.replace(path, with: nil) }
        for (file, object) in changed { self.replace(file.path, with: FileRecord(object: object, file: file)) }
        self.link()
    }

    /// Takes in one file as it is now.
    package mutating func update(_ file: ManifestFile, object: ObjectID) {
        self.update([(file, object)])
    }

    /// Forgets a file that is gone.
    package mutating func remove(path: String) {
        self.update([], removed: [path])
    }

    /// Resources that are declared with an error, or twice.
    package var broken: Set<ResourceIdentity> {
        Set(self.declarations.keys).subtracting(self.resources.keys)
    }

    /// Resources that are ``broken``, or were declared by a file that cannot be read now.
    ///
    /// Nothing of theirs is pruned, and what depends on them is blocked.
    package var retained: Set<ResourceIdentity> {
        self.remembered.subtracting(self.resources.keys).union(self.broken)
    }

    /// Files with documents that cannot be told apart; what they declared before this index began is not known here.
    package var unreadablePaths: Set<String> { self.unreadableFiles }

    /// Documents of someone else's `apiVersion`.
    package var skippedForeignDocuments: Int {
        self.files.values.reduce(0) { $0 + $1.file.skippedForeignDocuments }
    }

    /// Everything that is wrong or doubtful, sorted by place.
    package var diagnostics: [Diagnostic] {
        (self.files.values.flatMap(\.file.diagnostics) + self.linkDiagnostics.values.joined()).sorted()
    }

    /// What is wrong or doubtful about one resource, sorted by place.
    package func diagnostics(of identity: ResourceIdentity) -> [Diagnostic] {
        let paths = Set((self.declarations[identity] ?? []).map(\.location.path))
        let own = paths.flatMap { self.files[$0]?.file.diagnostics ?? [] }.filter { $0.resource == identity }
        return (own + (self.linkDiagnostics[identity] ?? [])).sorted()
    }

    /// The paths of all files in the index.
    package var paths: some Collection<String> { self.files.keys }

    /// The blob that a path was read from, or nil when the index does not know the path.
    package func object(at path: String) -> ObjectID? { self.files[path]?.object }

    private var remembered: Set<ResourceIdentity> {
        self.unreadableFiles.reduce(into: []) { $0.formUnion(self.files[$1]?.remembered ?? []) }
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
        if let record, record.file.unreadable {
            self.unreadableFiles.insert(path)
        } else {
            self.unreadableFiles.remove(path)
        }
        guard let record else { return }
        for resource in record.file.resources {
            self.declare(resource.identity, Declaration(location: resource.location, resource: resource))
        }
        for (identity, location) in record.file.broken {
            self.declare(identity, Declaration(location: location, resource: nil))
        }
        self.dirty.formUnion(record.remembered)
    }

    private mutating func declare(_ identity: ResourceIdentity, _ declaration: Declaration) {
        self.declarations[identity, default: []].append(declaration)
        self.declarations[identity]?.sort { $0.location < $1.location }
        self.noteReferences(of: identity)
        self.dirty.insert(identity)
    }

    private mutating func forget(_ record: FileRecord) {
        for identity in record.declared {
            for reference in self.declarations[identity]?.references ?? [] {
                self.referrers[reference.target]?.remove(identity)
                if self.referrers[reference.target]?.isEmpty == true { self.referrers[reference.target] = nil }
            }
            self.declarations[identity]?.removeAll { $0.location.path == record.file.path }
            if self.declarations[identity]?.isEmpty == true { self.declarations[identity] = nil }
            // Another file may declare the same identity and name the same others.
            self.noteReferences(of: identity)
        }
        self.dirty.formUnion(record.declared)
        self.dirty.formUnion(record.remembered)
    }

    private mutating func noteReferences(of identity: ResourceIdentity) {
        for reference in self.declarations[identity]?.references ?? [] {
            self.referrers[reference.target, default: []].insert(identity)
        }
    }

    /// Judges everything that has changed, and everything that names what has changed.
    private mutating func link() {
        let changed = self.dirty
        self.dirty = []
        let affected = changed.reduce(into: changed) { $0.formUnion(self.referrers[$1] ?? []) }
        let isChainAffected = affected.contains { $0.kind == .chain }
        for identity in affected where identity.kind == .chain {
            let resource = self.declarations[identity]?.only
            let refersToChains = resource?.references.contains { $0.target.kind == .chain } ?? false
            if refersToChains { self.chainsOfChains.insert(identity) } else { self.chainsOfChains.remove(identity) }
        }
        let cycles = isChainAffected ? self.chainCycles() : [:]
        var linker = ManifestLinker(declarations: self.declarations, remembered: self.remembered)
        for identity in isChainAffected ? affected.union(self.chainsOfChains) : affected {
            self.judge(identity, cycles[identity], &linker)
        }
    }

    private mutating func judge(_ identity: ResourceIdentity, _ cycle: Diagnostic?, _ linker: inout ManifestLinker) {
        guard let declarations = self.declarations[identity] else {
            self.resources[identity] = nil
            self.linkDiagnostics[identity] = nil
            return
        }
        var diagnostics: [Diagnostic] = []
        if declarations.count > 1 {
            diagnostics = ManifestLinker.duplicates(identity, declarations.map(\.location))
        } else if let resource = declarations[0].resource {
            diagnostics = linker.diagnostics(of: resource) + (cycle.map { [$0] } ?? [])
        }
        self.linkDiagnostics[identity] = diagnostics.isEmpty ? nil : diagnostics
        let isSound = !diagnostics.contains { $0.severity == .error }
        self.resources[identity] = isSound && declarations.count == 1 ? declarations[0].resource : nil
    }

    /// For each chain of a circle of chains, what is wrong.
    private func chainCycles() -> [ResourceIdentity: Diagnostic] {
        let chains = self.chainsOfChains.sorted()
        let positions = Dictionary(uniqueKeysWithValues: zip(chains, chains.indices))
        let edges = chains.map { self.declarations[$0]?.only?.references.compactMap { positions[$0.target] } ?? [] }
        var diagnostics: [ResourceIdentity: Diagnostic] = [:]
        for cycle in ReferenceCycles.find(edges) {
            for (offset, node) in cycle.enumerated() {
                let circle = (cycle[offset...] + cycle[..<offset] + [node]).map { chains[$0].name }
                let next = chains[cycle[(offset + 1) % cycle.count]]
                let reference = self.declarations[chains[node]]?.only?.references.first { $0.target == next }
                guard let reference else { continue }
                diagnostics[chains[node]] = Diagnostic(
                    at: reference.location,
                    "chains run each other in a circle: \(circle.joined(separator: " -> "))",
                    resource: chains[node]
                )
            }
        }
        return diagnostics
    }
}
