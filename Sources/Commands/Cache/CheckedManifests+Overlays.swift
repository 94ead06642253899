internal import ManifestYAML
internal import Planning
internal import Schema

extension CheckedManifests {
    /// Takes down what overlays bring in; false where that cannot be told from the files that are known.
    mutating func note(
        _ inclusions: [OverlayInclusion],
        _ desired: DesiredState,
        _ places: [String: Int],
        _ positions: [ResourceIdentity: Int]
    ) -> Bool {
        var patched: [ResourceIdentity: Set<Int>] = [:]
        let through = desired.resources.values.filter { $0.origin != nil }
        for resource in through {
            guard let origin = resource.origin, let file = places[resource.location.path],
                resource.location.path != origin.location.path
            else { return false }
            if origin.isPatched { patched[origin.overlay, default: []].insert(file) }
        }
        for inclusion in inclusions {
            guard let node = positions[inclusion.overlay] else { return false }
            let nested = inclusion.nested.compactMap { places[$0] }
            guard nested.count == inclusion.nested.count else { return false }
            self.overlays.append(
                Overlay(
                    node: node,
                    folders: inclusion.folders.sorted(),
                    anchors: (patched[inclusion.overlay] ?? []).union(nested).sorted(),
                    nested: nested.sorted()
                )
            )
        }
        self.overlays.sort { $0.node < $1.node }
        let named = Set(self.overlays.map { self.nodes[$0.node].name })
        let origins = Set(through.compactMap { $0.origin?.overlay.description })
        return named.count == self.overlays.count && origins.isSubset(of: named)
    }

    /// The positions of all files in some folders.
    func files(in folders: [String]) -> Set<Int> {
        Set(self.files.indices.filter { self.isFile($0, in: folders) })
    }

    /// Whether an overlay stands in some folders, or comes through another one from there.
    func hasOverlay(in folders: [String]) -> Bool {
        self.overlays.contains { overlay in
            ([self.nodes[overlay.node].file] + overlay.nested).contains { self.isFile($0, in: folders) }
        }
    }

    /// What changes of files have to do with overlays.
    struct OverlayReach {
        /// Positions in ``nodes`` of overlays that have to be expanded.
        var overlays: Set<Int> = []
        /// Positions in ``files`` of all that an overlay brings in which is another one now.
        var whole: Set<Int> = []
    }

    func overlayReach(of paths: [String]) -> OverlayReach {
        var reach = OverlayReach()
        for overlay in self.overlays {
            let own = Set(([self.nodes[overlay.node].file] + overlay.nested).map { self.files[$0].path })
            let isTouched = paths.contains { path in
                own.contains(path) || overlay.folders.contains { RelativePath.path(path, below: $0) != nil }
            }
            guard isTouched else { continue }
            reach.overlays.insert(overlay.node)
            if paths.contains(where: own.contains) { reach.whole.formUnion(self.files(in: overlay.folders)) }
        }
        return reach
    }

    /// What has to be read along with each resource: those of the same file, the overlays that bring it in, and, of an
    /// overlay, what it cannot be expanded without.
    var companions: [[Int]] {
        var byFile = [[Int]](repeating: [], count: self.files.count)
        for (number, node) in self.nodes.enumerated() { byFile[node.file].append(number) }
        var companions = self.nodes.map { byFile[$0.file].count > 1 ? byFile[$0.file] : [] }
        for overlay in self.overlays {
            for file in self.files(in: overlay.folders) {
                for node in byFile[file] { companions[node].append(overlay.node) }
            }
            companions[overlay.node] += overlay.anchors.flatMap { byFile[$0] }
        }
        return companions
    }

    /// The positions of the files without which overlays among some resources cannot be expanded.
    func anchors(of nodes: Set<Int>) -> Set<Int> {
        Set(self.overlays.filter { nodes.contains($0.node) }.flatMap(\.anchors))
    }

    /// Whether a file is below one of some folders.
    private func isFile(_ number: Int, in folders: [String]) -> Bool {
        folders.contains { RelativePath.path(self.files[number].path, below: $0) != nil }
    }
}
