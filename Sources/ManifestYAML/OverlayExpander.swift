internal import Planning
internal import Schema

/// What one overlay brought in, kept for the next commit.
struct OverlayRecord: Sendable {
    struct Included: Sendable {
        var object: ObjectID
        /// Of the overlays that it came through.
        var overlays: [ObjectID]
        var identities: Set<ResourceIdentity>
        /// Whether an overlay stands in it: then it is looked at again each time.
        var hasOverlays: Bool
        /// Whether it may declare more than ``identities``.
        var isUnreadable = false
    }

    /// Of the overlay's own file.
    var path: String
    var identity: ResourceIdentity
    /// The folders whose manifests came through.
    var folders: Set<String> = []
    /// By the name of each file in the index.
    var included: [String: Included] = [:]

    /// Whether a change of any of these files is one of what is included.
    func isTouched(by paths: [String]) -> Bool {
        paths.contains { path in
            (CommitReader.isNamedAsManifest(path) || RelativePath.path(path, endsWith: CommitReader.ignoreFile))
                && self.folders.contains { RelativePath.path(path, below: $0) != nil }
        }
    }
}

/// Reads what an overlay includes, merges its patches in, and makes a file of manifests of each file that came through.
struct OverlayExpander {
    /// Overlays of overlays of overlays, and so on.
    static let depthLimit = 8
    /// What no path of a repository has in it: names of included files in the index have.
    static let separator: Character = "\0"

    private let reader: CommitReader
    private let commit: ObjectID
    private let root: OverlayDocument
    private let previous: OverlayRecord?

    /// What came through: a file for each one that is not the same as before.
    private(set) var files: [(file: ManifestFile, object: ObjectID)] = []
    private(set) var record: OverlayRecord
    /// What is wrong with the overlays themselves.
    private(set) var problems: [Diagnostic] = []
    /// Overlays met on the way, whose patches have to have found something.
    private var met: [(overlay: OverlayDocument, namespace: String)] = []

    init(_ root: OverlayDocument, of commit: ObjectID, reader: CommitReader, previous: OverlayRecord?) {
        self.root = root
        self.commit = commit
        self.reader = reader
        self.previous = previous
        self.record = OverlayRecord(path: root.path, identity: root.identity)
    }

    /// Throws only what the repository throws.
    mutating func expand() throws {
        try self.include([self.root])
        if self.problems.isEmpty { self.checkTargets() }
    }

    private mutating func include(_ chain: [OverlayDocument]) throws {
        guard let overlay = chain.last else { return }
        self.problems += overlay.renamingPatches
        self.met.append((overlay, self.namespace(of: chain)))
        for (position, include) in overlay.spec.include.enumerated() {
            let field = FieldPath("spec", "include").item(position)
            guard let folder = overlay.folder(of: include) else {
                self.problems.append(overlay.error(at: field, "'\(include)' leads out of the repository"))
                continue
            }
            self.record.folders.insert(folder)
            let entries: [TreeEntry]
            do {
                entries = try self.reader.repository.files(below: folder, in: self.commit)
            } catch let error as MartletError where ["PathNotFound", "PathInvalid"].contains(error.code) {
                let message = "there is no folder '\(folder)' in the repository"
                self.problems.append(overlay.error(at: field, message))
                continue
            } catch let error as MartletError where ["PathNotAFolder", "PathTooDeep"].contains(error.code) {
                self.problems.append(overlay.error(at: field, error.message))
                continue
            }
            let rules = try self.reader.readIgnoreRules(entries)
            for entry in self.reader.manifests(entries, rules) {
                try self.take(entry, through: chain, at: field)
            }
        }
    }

    /// Takes in one file, unless it is the same as before.
    private mutating func take(_ entry: TreeEntry, through chain: [OverlayDocument], at field: FieldPath) throws {
        let names = [self.root.path] + chain.map(\.identity.description) + [entry.path]
        let name = names.joined(separator: String(Self.separator))
        guard self.record.included[name] == nil else { return }
        let overlays = chain.map(\.object)
        if let known = self.previous?.included[name], known.object == entry.object, known.overlays == overlays,
            !known.hasOverlays
        {
            self.record.included[name] = known
            return
        }
        var read = IncludedFile(ManifestFile(path: name))
        if let bytes = try self.reader.bytes(of: entry, into: &read.file) {
            self.read(bytes, entry, through: chain, into: &read)
        }
        self.settle(&read, entry, through: chain)
        self.record.included[name] = OverlayRecord.Included(
            object: entry.object,
            overlays: overlays,
            identities: Set(read.file.resources.map(\.identity)).union(read.file.broken.keys),
            hasOverlays: !read.overlays.isEmpty,
            isUnreadable: read.file.unreadable
        )
        self.files.append((read.file, entry.object))
        for overlay in read.overlays {
            guard let innermost = chain.last else { continue }
            if chain.contains(where: { $0.path == overlay.path && $0.identity == overlay.identity }) {
                let circle = (chain.map(\.path) + [overlay.path]).joined(separator: " -> ")
                self.problems.append(innermost.error(at: field, "overlays include each other in a circle: \(circle)"))
            } else if chain.count >= Self.depthLimit {
                let message = "more than \(Self.depthLimit) overlays include each other"
                self.problems.append(innermost.error(at: field, message))
            } else {
                try self.include(chain + [overlay])
            }
        }
    }

    /// A file that came through, and what has to be known of it beyond its manifests.
    private struct IncludedFile {
        var file: ManifestFile
        var overlays: [OverlayDocument] = []
        var patched: Set<ResourceIdentity> = []

        init(_ file: ManifestFile) {
            self.file = file
        }
    }

    private mutating func read(
        _ bytes: [UInt8],
        _ entry: TreeEntry,
        through chain: [OverlayDocument],
        into read: inout IncludedFile
    ) {
        let documents = DocumentReader(
            reader: self.reader.manifests,
            path: entry.path,
            namespace: self.namespace(of: chain)
        )
        var problems: [Diagnostic] = []
        self.reader.manifests.eachDocument(of: bytes, path: entry.path, into: &read.file) { document, file in
            var document = document
            guard let root = document.root else { return documents.read(document, into: &file) }
            if root["kind"]?.scalar?.text == Kind.overlay.rawValue {
                var own = ManifestFile(path: entry.path)
                documents.read(document, into: &own)
                let overlays = own.resources.compactMap {
                    OverlayDocument($0, root, path: entry.path, object: entry.object)
                }
                read.overlays += overlays
                if overlays.isEmpty { problems += own.diagnostics }
                return
            }
            if let identity = documents.identity(of: root) {
                for patch in self.patches(of: identity, chain) {
                    document.root = document.root?.merging(patch)
                    read.patched.insert(identity)
                }
            }
            documents.read(document, into: &file)
        }
        self.problems += problems
    }

    /// The patches of a resource, those of the innermost overlay first.
    private func patches(of identity: ResourceIdentity, _ chain: [OverlayDocument]) -> [YAMLNode] {
        chain.indices.reversed().flatMap { level -> [YAMLNode] in
            let overlay = chain[level]
            let namespace = self.namespace(of: Array(chain[...level]))
            return overlay.spec.patches.indices.compactMap { position in
                let target = overlay.spec.patches[position].target.identity(in: namespace)
                return target == identity ? overlay.patch(position) : nil
            }
        }
    }

    /// The namespace of what comes through a chain of overlays without one of its own.
    private func namespace(of chain: [OverlayDocument]) -> String {
        chain.last { $0.spec.namespace != nil }?.spec.namespace
            ?? self.reader.manifests.scope(of: self.root.path).namespace
    }

    /// Adds labels, and says in diagnostics and resources which overlay they came through.
    private func settle(_ read: inout IncludedFile, _ entry: TreeEntry, through chain: [OverlayDocument]) {
        let labels = chain.reversed().reduce(into: [String: String]()) { labels, overlay in
            labels.merge(overlay.spec.labels) { $1 }
        }
        let origin = { (isPatched: Bool) in
            ResourceOrigin(overlay: self.root.identity, location: self.root.location, isPatched: isPatched)
        }
        read.file.origin = origin(!read.patched.isEmpty)
        for index in read.file.resources.indices {
            let resource = read.file.resources[index]
            let isPatched = read.patched.contains(resource.identity)
            read.file.resources[index] = resource.through(origin(isPatched), adding: labels)
        }
        for index in read.file.diagnostics.indices where read.file.diagnostics[index].location.path == entry.path {
            let isPatched = read.file.diagnostics[index].resource.map { read.patched.contains($0) } ?? false
            let verb = isPatched ? "patched" : "included"
            read.file.diagnostics[index].message += " (as \(verb) by overlay '\(self.root.identity.name)' at "
            read.file.diagnostics[index].message += "\(self.root.location))"
        }
        read.file.diagnostics = self.reader.manifests.settle(read.file.diagnostics, path: entry.path)
    }

    private mutating func checkTargets() {
        // A file that cannot be read may declare what a patch is for.
        guard !self.record.included.values.contains(where: \.isUnreadable) else { return }
        let known = self.record.included.values.reduce(into: Set<ResourceIdentity>()) { $0.formUnion($1.identities) }
        for (overlay, namespace) in self.met {
            for (position, patch) in overlay.spec.patches.enumerated() {
                let target = patch.target.identity(in: namespace)
                guard !known.contains(target) else { continue }
                let near = known.filter { $0.kind == target.kind && $0.namespace == target.namespace }.map(\.name)
                let message = "nothing that is included is called \(target)"
                self.problems.append(
                    overlay.error(
                        at: overlay.field(ofPatch: position).field("target").field("name"),
                        message + NearestWord.hint(for: target.name, among: near)
                    )
                )
            }
        }
    }
}

extension OverlaySpec.Patch.Target {
    fileprivate func identity(in namespace: String) -> ResourceIdentity {
        ResourceIdentity(self.kind, namespace: self.namespace ?? namespace, name: self.name)
    }
}
