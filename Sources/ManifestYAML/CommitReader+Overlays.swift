internal import Planning
internal import Schema

extension CommitReader {
    /// Brings what comes through overlays up to date: those that changed, and those that include what changed.
    func readOverlays(of commit: ObjectID, after previous: CommitManifests?, _ difference: inout Difference) throws {
        difference.overlays = previous?.overlays ?? [:]
        for path in difference.removed { self.dropOverlays(of: path, &difference) { _ in true } }
        var open: [String: Set<ResourceIdentity>] = [:]
        for read in difference.read {
            let file = read.file
            let sound = Set(file.resources.map(\.identity).filter { $0.kind == .overlay })
            // What can no longer be read prunes nothing of what came through it.
            let broken = file.broken.keys.filter { $0.kind == .overlay && !sound.contains($0) }
            for identity in broken.sorted() { self.refuse(read.entry, identity, [], &difference) }
            if file.unreadable {
                for record in difference.overlays.values where record.path == read.entry.path {
                    if !sound.contains(record.identity) { self.hold(record, &difference) }
                }
            }
            self.dropOverlays(of: read.entry.path, &difference) { identity in
                !sound.contains(identity) && !file.unreadable && file.broken[identity] == nil
            }
            if !sound.isEmpty { open[read.entry.path] = sound }
        }
        if let paths = difference.paths {
            for record in difference.overlays.values where record.isTouched(by: paths) {
                guard open[record.path] == nil, previous?.index.files[record.path]?.declares(record.identity) == true,
                    !difference.removed.contains(record.path)
                else { continue }
                open[record.path, default: []].insert(record.identity)
            }
        }
        for (path, identities) in open.sorted(by: { $0.key < $1.key }) {
            let read = difference.read.first { $0.entry.path == path }
            let known = previous?.index.files[path]
            guard let object = read?.entry.object ?? known?.object, let file = read?.file ?? known?.file else {
                continue
            }
            let bytes = try self.repository.read(object, limit: Int64(self.manifests.limits.bytes))
            for overlay in self.overlays(in: bytes, file, identities, object) {
                try self.expand(overlay, of: commit, &difference)
            }
        }
    }

    /// The overlays of a file, with their text.
    private func overlays(
        in bytes: [UInt8],
        _ file: ManifestFile,
        _ identities: Set<ResourceIdentity>,
        _ object: ObjectID
    ) -> [OverlayDocument] {
        let resources = file.resources.filter { identities.contains($0.identity) }
        var overlays: [OverlayDocument] = []
        var ignored = ManifestFile(path: file.path)
        self.manifests.eachDocument(of: bytes, path: file.path, into: &ignored) { document, _ in
            guard let root = document.root else { return }
            let place = root.mark.location(in: file.path)
            guard let resource = resources.first(where: { $0.location == place }) else { return }
            if let overlay = OverlayDocument(resource, root, path: file.path, object: object) {
                overlays.append(overlay)
            }
        }
        return overlays
    }

    private func expand(_ overlay: OverlayDocument, of commit: ObjectID, _ difference: inout Difference) throws {
        let key = Self.key(overlay.path, overlay.identity)
        let previous = difference.overlays[key]
        var expander = OverlayExpander(overlay, of: commit, reader: self, previous: previous)
        try expander.expand()
        guard expander.problems.isEmpty else {
            let entry = TreeEntry(path: overlay.path, kind: .file, object: overlay.object)
            self.refuse(entry, overlay.identity, Array(Set(expander.problems)).sorted(), &difference)
            difference.overlays[key]?.folders = expander.record.folders
            return
        }
        difference.included += expander.files
        difference.removed += (previous?.included.keys.filter { expander.record.included[$0] == nil } ?? []).sorted()
        difference.overlays[key] = expander.record
    }

    /// Notes what is wrong with an overlay, and holds all of it: a patch that finds nothing may be the one that matters.
    private func refuse(
        _ entry: TreeEntry,
        _ identity: ResourceIdentity,
        _ problems: [Diagnostic],
        _ difference: inout Difference
    ) {
        let key = Self.key(entry.path, identity)
        let name = key + String(OverlayExpander.separator)
        var record = difference.overlays[key] ?? OverlayRecord(path: entry.path, identity: identity)
        record.included[name] = nil
        self.hold(record, &difference)
        // Nobody knows what the overlay would bring in.
        var file = ManifestFile(path: name)
        file.diagnostics = problems
        file.unreadable = true
        difference.included.append((file, entry.object))
        difference.overlays[key]?.included[name] = OverlayRecord.Included(
            object: "",
            overlays: [],
            identities: [],
            hasOverlays: false
        )
    }

    /// Takes what an overlay brought in out of force without pruning it.
    private func hold(_ record: OverlayRecord, _ difference: inout Difference) {
        var held = record
        for (name, included) in record.included {
            var file = ManifestFile(path: name)
            file.unreadable = true
            if !included.object.isEmpty { difference.included.append((file, "")) }
            // The next time that it can be read, it is read.
            held.included[name]?.object = ""
        }
        difference.overlays[Self.key(record.path, record.identity)] = held
    }

    private func dropOverlays(
        of path: String,
        _ difference: inout Difference,
        where isGone: (ResourceIdentity) -> Bool
    ) {
        for (key, record) in difference.overlays where record.path == path && isGone(record.identity) {
            difference.removed += record.included.keys.sorted()
            difference.overlays[key] = nil
        }
    }

    private static func key(_ path: String, _ identity: ResourceIdentity) -> String {
        "\(path)\(OverlayExpander.separator)\(identity)"
    }
}

extension ManifestIndex.FileRecord {
    fileprivate func declares(_ identity: ResourceIdentity) -> Bool {
        self.file.resources.contains { $0.identity == identity }
    }
}
