internal import ManifestYAML
internal import Planning
internal import Schema

/// Reads of one or two commits only what their differences to checked manifests reach.
///
/// It vouches only for what is sound: where anything is wrong, or a change reaches further than names do, it gives up,
/// and everything is read.
struct NarrowReading {
    /// What became of an attempt.
    enum Outcome {
        /// What the commits ask for, as far as they were read, and the rest.
        case done([DesiredState], CheckedRest)
        /// Nearly everything is different: other checked manifests may do better.
        case tooFar
        /// Only reading everything can tell.
        case everythingCounts
    }

    let source: any SourceRepository
    /// Only manifests below this folder count.
    let subpath: String
    let manifests: ManifestReader
    let makeLoader: (any SourceRepository) -> DesiredStateLoader

    /// Whether a file may hold manifests, or decides which do.
    static func isRelevant(_ path: String) -> Bool {
        CommitReader.isNamedAsManifest(path) || Self.isIgnoreFile(path)
    }

    private static func isIgnoreFile(_ path: String) -> Bool {
        RelativePath.split(path).name == CommitReader.ignoreFile
    }

    /// Whether all that some folders hold counts.
    func covers(_ folders: Set<String>) -> Bool {
        folders.allSatisfy { RelativePath.path($0, below: self.subpath) != nil || $0 == self.subpath }
    }

    /// Every file of a commit that may hold manifests, sorted by the bytes of their paths; nil where the commit does not
    /// have the folder.
    func relevantFiles(of commit: CommitSummary) throws -> [TreeEntry]? {
        do {
            let files = try self.source.changes(from: nil, to: commit.id, under: self.subpath).changed
            return files.filter { Self.isRelevant($0.path) }
        } catch let error as MartletError where error.code == "PathNotFound" {
            return nil
        }
    }

    /// Reads one commit, or a base and a head.
    ///
    /// - Parameters:
    ///   - files: Those of the first commit that may hold manifests.
    ///   - kinds: Of resources that are read whether anything changed about them or not.
    func read(
        _ commits: [CommitSummary],
        _ files: [TreeEntry],
        beside checked: CheckedManifests,
        and kinds: [Kind] = []
    ) throws -> Outcome {
        guard let first = commits.first else { return .everythingCounts }
        var difference = checked.difference(to: files)
        guard difference.old.count + difference.new.count <= max(64, checked.files.count / 16) else { return .tooFar }
        var later: [ObjectID: TreeChanges] = [:]
        for commit in commits.dropFirst() {
            let changes = try self.source.changes(from: first.id, to: commit.id, under: self.subpath)
            Self.extend(&difference, by: changes, checked)
            later[commit.id] = changes
        }
        guard !difference.new.contains(where: { Self.isIgnoreFile($0.path) }),
            !difference.old.contains(where: { Self.isIgnoreFile(checked.files[$0].path) }),
            let reached = try self.reached(difference, in: commits, checked, and: kinds)
        else { return .everythingCounts }
        let visible = Set(reached.nodes.map { checked.nodes[$0].file }).union(difference.old).union(reached.files)
        let paths = Set(visible.map { checked.files[$0].path }).union(difference.paths)
        let listing = files.filter { paths.contains($0.path) || Self.isIgnoreFile($0.path) }
        let hiding = HidingSource(
            source: self.source,
            listing: listing,
            first: first.id,
            differences: later,
            subpath: self.subpath,
            hidden: Set(files.map(\.path)).subtracting(listing.map(\.path)),
            folders: Set(checked.overlays.flatMap(\.folders))
        )
        var loader = self.makeLoader(hiding)
        var states: [DesiredState] = []
        for commit in commits {
            let state = try loader.load(commit)
            // All policies were read. If they say something else now, they may say it of what was not read.
            guard state.isPlain, !loader.hasUnreadableFiles, state.policies == checked.policies,
                Self.doublesNothing(state, checked, visible)
            else { return .everythingCounts }
            states.append(state)
        }
        let rest = CheckedRest(of: checked, without: visible, paths)
        return Self.isSeparate(states, from: rest) ? .done(states, rest) : .everythingCounts
    }

    /// Adds what differs between two commits.
    private static func extend(
        _ difference: inout CheckedManifests.Difference,
        by changes: TreeChanges,
        _ checked: CheckedManifests
    ) {
        let changed = changes.changed.filter { Self.isRelevant($0.path) }
        difference.new += changed
        for path in changed.map(\.path) + changes.removed {
            if let file = checked.file(at: path) { difference.old.insert(file) }
        }
    }

    /// Whether nothing is declared that stands in a file which is not read: what comes through overlays has names that
    /// are known only then.
    private static func doublesNothing(
        _ state: DesiredState,
        _ checked: CheckedManifests,
        _ visible: Set<Int>
    ) -> Bool {
        state.resources.keys.allSatisfy { identity in
            checked.node(identity.description).map { visible.contains(checked.nodes[$0].file) } ?? true
        }
    }

    /// The resources that have to be looked at, and files that count beside theirs; nil where names do not tell.
    private func reached(
        _ difference: CheckedManifests.Difference,
        in commits: [CommitSummary],
        _ checked: CheckedManifests,
        and kinds: [Kind]
    ) throws -> (nodes: Set<Int>, files: Set<Int>)? {
        let overlays = checked.overlayReach(of: difference.old.map { checked.files[$0].path } + difference.paths)
        var whole = overlays.whole
        var changed = Set(checked.nodes.indices.filter { difference.old.contains(checked.nodes[$0].file) })
        var named: Set<Int> = []
        for entry in difference.new where entry.kind == .file {
            let limit = Int64(self.manifests.limits.bytes)
            guard try self.source.size(of: entry.object) <= limit else { return nil }
            let file = self.manifests.read(try self.source.read(entry.object, limit: limit), path: entry.path)
            for identity in file.resources.map(\.identity) + file.broken.keys {
                if let node = checked.node(identity.description) { changed.insert(node) }
            }
            for overlay in file.resources {
                guard let folders = overlay.includedFolders else { continue }
                // An overlay that brings in others may bring in anything.
                guard !checked.hasOverlay(in: folders) else { return nil }
                whole.formUnion(checked.files(in: folders))
            }
            named.formUnion(file.resources.flatMap(\.references).compactMap { checked.node($0.target.description) })
        }
        changed.formUnion(checked.nodes.indices.filter { whole.contains(checked.nodes[$0].file) })
        for artifact in checked.artifacts {
            let isSame = try commits.allSatisfy { commit in
                let entry = try self.source.entry(at: artifact.path, in: commit.id)
                return entry?.object == artifact.object && entry?.kind == .file
            }
            if !isSame { changed.insert(artifact.node) }
        }
        let also = checked.nodes(of: [.policy] + kinds).union(checked.unsettled).union(overlays.overlays)
        let reached = checked.reach(of: changed, naming: named, and: also)
        return (reached, whole.union(checked.anchors(of: reached)))
    }

    /// Whether what was read shares no loaded model with the rest, and takes no endpoint away: how many go at once counts.
    private static func isSeparate(_ states: [DesiredState], from rest: CheckedRest) -> Bool {
        let keys = Set(rest.instances.map(\.key))
        let models = states.lazy.flatMap(\.variants.values).flatMap(\.models)
        guard !models.contains(where: { keys.contains($0.instance.key) }) else { return false }
        guard let base = states.first, let head = states.last else { return false }
        return base.resources.keys.allSatisfy { $0.kind != .endpoint || head.resources[$0] != nil }
    }
}

/// What is known of the manifests that were not read, since nothing that changed reaches them.
struct CheckedRest: Sendable {
    /// How many resources there are.
    var resources = 0
    /// What the endpoints among them have loaded, or their requests do.
    var instances: [CheckedManifests.Instance] = []
    /// What `validate` warns of.
    var warnings: [Diagnostic] = []
    /// What `plan` says is not applied.
    var unavailable: [Diagnostic] = []

    /// Nothing: everything was read.
    init() {}

    /// - Parameters:
    ///   - visible: Positions of the files that were read.
    ///   - paths: Their paths, and those of new ones.
    init(of checked: CheckedManifests, without visible: Set<Int>, _ paths: Set<String>) {
        self.resources = checked.nodes.count { !visible.contains($0.file) }
        self.instances = checked.instances.filter { !visible.contains(checked.nodes[$0.node].file) }
        self.warnings = checked.warnings.filter { !paths.contains($0.location.path) }
        self.unavailable = checked.unavailable.filter { !paths.contains($0.location.path) }
    }
}

extension Resource {
    /// The folders that an overlay brings in, as far as they are in the repository; nil for anything else.
    fileprivate var includedFolders: [String]? {
        guard case .overlay(let spec) = self.spec else { return nil }
        let folder = RelativePath.split(self.location.path).folder
        return spec.include.compactMap { OverlaySpec.path(of: $0, from: folder) }
    }
}
