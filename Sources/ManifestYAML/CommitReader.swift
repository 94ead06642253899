internal import Dispatch
package import Planning
internal import Schema
internal import Synchronization

/// The manifests of one commit, and what the next read goes on from.
package struct CommitManifests: Sendable {
    package let commit: ObjectID
    package let index: ManifestIndex
    /// How many files were parsed to get from the read before to this one.
    package let parsedFiles: Int
    /// What `.martletignore` files say, by the folder that they stand in.
    let ignoreRules: [String: IgnoreRules]
    /// What came through overlays, by overlay.
    let overlays: [String: OverlayRecord]

    fileprivate init(_ commit: ObjectID, _ index: ManifestIndex, _ difference: CommitReader.Difference) {
        self.commit = commit
        self.index = index
        self.parsedFiles = difference.read.count
        self.ignoreRules = difference.ignoreRules
        self.overlays = difference.overlays
    }
}

/// Reads the manifests of commits; only what changed since the read before is looked at.
package struct CommitReader: Sendable {
    /// What the file with ignore rules is called.
    package static let ignoreFile = ".martletignore"

    let repository: any SourceRepository
    private let subpath: String
    let manifests: ManifestReader

    /// Makes a reader of everything below `subpath`; empty for the whole repository.
    package init(
        repository: any SourceRepository,
        subpath: String = "",
        manifests: ManifestReader = ManifestReader()
    ) {
        self.repository = repository
        self.subpath = subpath
        self.manifests = manifests
    }

    /// Reads a commit, as a difference to `previous` where there is one.
    ///
    /// Blocks while it reads. What is wrong with manifests is in the index; it throws only what the repository throws,
    /// and then `previous` still holds.
    package func read(_ commit: ObjectID, after previous: CommitManifests? = nil) throws -> CommitManifests {
        let next = try self.difference(to: commit, from: previous)
        var index = previous?.index ?? ManifestIndex()
        index.update(next.updates, removed: next.removed)
        return CommitManifests(commit, index, next)
    }

    /// Reads a commit, puts its manifests in the place of those of the commit before, and says what differs.
    ///
    /// Throws as the other one does; what is shared between the two commits is not copied.
    package func replace(_ manifests: inout CommitManifests?, with commit: ObjectID) throws -> ManifestChanges {
        let next = try self.difference(to: commit, from: manifests)
        var index = manifests?.index ?? ManifestIndex()
        // The index is in one place only from here on, so that it is changed where it lies.
        manifests = nil
        var changes = index.update(next.updates, removed: next.removed)
        changes.files = next.files
        manifests = CommitManifests(commit, index, next)
        return changes
    }

    /// What a commit changes in an index, read and parsed.
    struct Difference {
        var read: [Read] = []
        var removed: [String] = []
        /// Every file of the repository that is not what it was; nil: nobody knows which.
        var paths: [String]?
        var ignoreRules: [String: IgnoreRules] = [:]
        /// Files that came through overlays.
        var included: [(file: ManifestFile, object: ObjectID)] = []
        var overlays: [String: OverlayRecord] = [:]

        var updates: [(file: ManifestFile, object: ObjectID)] {
            self.read.map { ($0.file, $0.entry.object) } + self.included
        }

        var files: ManifestChanges.Files { self.paths.map { .some(Set($0)) } ?? .any }
    }

    private func difference(to commit: ObjectID, from previous: CommitManifests?) throws -> Difference {
        var difference = try self.ownDifference(to: commit, from: previous)
        try self.readOverlays(of: commit, after: previous, &difference)
        return difference
    }

    private func ownDifference(to commit: ObjectID, from previous: CommitManifests?) throws -> Difference {
        let changes = try self.repository.changes(from: previous?.commit, to: commit, under: self.subpath)
        guard let previous else { return try self.everything(in: commit, changes.changed, knowing: ManifestIndex()) }
        let names = changes.changed.map(\.path) + changes.removed
        var difference: Difference
        if names.contains(where: { Self.split($0).name == Self.ignoreFile }) {
            let entries = try self.repository.changes(from: nil, to: commit, under: self.subpath).changed
            difference = try self.everything(in: commit, entries, knowing: previous.index)
        } else {
            difference = Difference(ignoreRules: previous.ignoreRules)
            let candidates = self.manifests(changes.changed, previous.ignoreRules)
            difference.read = try self.readAll(candidates)
            // A path may have turned from a manifest into something else.
            let removed = changes.removed.map { PlainPath(of: $0).text }
            difference.removed = removed.filter { previous.index.object(at: $0) != nil }
        }
        let all =
            self.subpath.isEmpty
            ? changes : try self.repository.changes(from: previous.commit, to: commit, under: "")
        difference.paths = all.changed.map(\.path) + all.removed
        return difference
    }

    /// Looks at every file, and parses those whose blob is not the one that the index knows.
    private func everything(
        in commit: ObjectID,
        _ entries: [TreeEntry],
        knowing index: ManifestIndex
    ) throws -> Difference {
        let rules = try self.readIgnoreRules(entries)
        let candidates = self.manifests(entries, rules)
        let present = Set(candidates.map(\.path))
        // So much is not read again soon; given up now, its memory goes to what is made of the files.
        defer { self.repository.releaseMemory() }
        return Difference(
            read: try self.readAll(candidates.filter { index.object(at: $0.path) != $0.object }),
            removed: index.paths.filter { !present.contains($0) && !$0.contains(OverlayExpander.separator) },
            ignoreRules: rules
        )
    }

    func readIgnoreRules(_ entries: [TreeEntry]) throws -> [String: IgnoreRules] {
        var rules: [String: IgnoreRules] = [:]
        for entry in entries where entry.kind == .file && PlainPath(of: entry.path).isOwn {
            let (folder, name) = Self.split(entry.path)
            guard name == Self.ignoreFile else { continue }
            let bytes = try self.repository.read(entry.object, limit: Int64(self.manifests.limits.bytes))
            rules[folder] = IgnoreRules(parsing: String(decoding: bytes, as: UTF8.self))
        }
        return rules
    }

    /// Those of a commit's files that may hold manifests, by paths that no two of them share.
    func manifests(_ entries: [TreeEntry], _ rules: [String: IgnoreRules]) -> [TreeEntry] {
        entries.filter { self.isManifest($0.path, rules) }.map { entry in
            TreeEntry(path: PlainPath(of: entry.path).text, kind: entry.kind, object: entry.object)
        }
    }

    private func isManifest(_ path: String, _ rules: [String: IgnoreRules]) -> Bool {
        guard Self.isNamedAsManifest(path) else { return false }
        return !rules.contains { folder, rules in
            RelativePath.path(path, below: folder).map { rules.matches($0, isFolder: false) } ?? false
        }
    }

    /// Whether a file is called as files of manifests are.
    package static func isNamedAsManifest(_ path: String) -> Bool {
        RelativePath.path(path, endsWith: ".yaml") || RelativePath.path(path, endsWith: ".yml")
    }

    typealias Read = (entry: TreeEntry, file: ManifestFile)

    /// Reads and parses files, many of them on all cores.
    private func readAll(_ entries: [TreeEntry]) throws -> [Read] {
        let stripe = 64
        let stripes = (entries.count + stripe - 1) / stripe
        var manifests = self.manifests
        manifests.shared = SharedValues()
        let reader = CommitReader(repository: self.repository, subpath: self.subpath, manifests: manifests)
        let results = Mutex<[Result<[Read], any Error>]>([])
        DispatchQueue.concurrentPerform(iterations: stripes) { number in
            let part = entries[number * stripe..<min(entries.count, (number + 1) * stripe)]
            let result = Result { try part.map { Read($0, try reader.read($0)) } }
            results.withLock { $0.append(result) }
        }
        return try results.withLock { $0 }.flatMap { try $0.get() }
    }

    private func read(_ entry: TreeEntry) throws -> ManifestFile {
        var file = ManifestFile(path: entry.path)
        guard let bytes = try self.bytes(of: entry, into: &file) else { return file }
        return self.manifests.read(bytes, path: entry.path)
    }

    /// The bytes of a file of manifests; nil, with the reason in `file`, for what is not read as one.
    func bytes(of entry: TreeEntry, into file: inout ManifestFile) throws -> [UInt8]? {
        let refusal: ManifestFile
        switch entry.kind {
        case _ where PlainPath.isStandIn(entry.path):
            refusal = .unreadable(
                entry.path,
                "no file is read whose path is not in Unicode's composed form (NFC), since it may look the same as "
                    + "another one: rename it"
            )
        case .file:
            do {
                return try self.repository.read(entry.object, limit: Int64(self.manifests.limits.bytes))
            } catch let error as MartletError where error.code == "BlobTooLarge" {
                refusal = self.manifests.tooLarge(entry.path, bytes: try self.repository.size(of: entry.object))
            }
        case .link:
            refusal = .unreadable(entry.path, "a symbolic link is not read as a manifest", severity: .warning)
        case .submodule, .folder:
            refusal = .unreadable(entry.path, "a submodule is not read as a manifest", severity: .warning)
        case .special:
            refusal = .unreadable(
                entry.path,
                "a pipe, a socket or a device is not read as a manifest",
                severity: .warning
            )
        }
        file.diagnostics = refusal.diagnostics
        file.unreadable = true
        return nil
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        let parts = RelativePath.split(path)
        guard parts.folder.isEmpty, let path = SourcePath(path) else { return parts }
        return ("\(path.source):", path.path)
    }
}
