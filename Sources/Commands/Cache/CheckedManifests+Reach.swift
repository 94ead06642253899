internal import Planning
internal import Schema

extension CheckedManifests {
    /// How another state of the repository differs from this one.
    struct Difference: Sendable {
        /// Positions in ``files`` of those that changed or are gone.
        var old: Set<Int> = []
        /// Files that are new or changed, in any of the states that are looked at.
        var new: [TreeEntry] = []

        var paths: Set<String> { Set(self.new.map(\.path)) }
    }

    /// What differs in the files of another state, which are sorted by the bytes of their paths.
    func difference(to files: [TreeEntry]) -> Difference {
        var difference = Difference()
        var position = 0
        for entry in files {
            while position < self.files.count, Self.precedes(self.files[position].path, entry.path) {
                difference.old.insert(position)
                position += 1
            }
            guard position < self.files.count, self.files[position].path.utf8.elementsEqual(entry.path.utf8) else {
                difference.new.append(entry)
                continue
            }
            // What is no file, a link say, was not read then and has to be looked at again.
            if self.files[position].object != entry.object || entry.kind != .file {
                difference.old.insert(position)
                difference.new.append(entry)
            }
            position += 1
        }
        difference.old.formUnion(position..<self.files.count)
        return difference
    }

    /// The resources that have to be looked at when some changed, so that the rest stays as it is: whatever depends on
    /// them, all that those need, and for each loaded model one endpoint outside that needs it too, if there is one.
    ///
    /// - Parameters:
    ///   - changed: Resources that may say something else now.
    ///   - named: Resources that the changed files name now.
    ///   - also: Resources that are looked at for themselves.
    func reach(of changed: Set<Int>, naming named: Set<Int>, and also: Set<Int>) -> Set<Int> {
        var referrers = [[Int]](repeating: [], count: self.nodes.count)
        for (number, node) in self.nodes.enumerated() {
            for target in node.references { referrers[target].append(number) }
        }
        let touched = Self.closure(of: changed) { referrers[$0] }
        let companions = self.companions
        let needs = { (node: Int) in self.nodes[node].references + companions[node] }
        var reached = Self.closure(of: touched.union(named).union(also), needs)
        let groups = Dictionary(grouping: self.instances, by: \.key)
        let keys = Dictionary(self.instances.map { ($0.node, $0.key) }, uniquingKeysWith: { first, _ in first })
        var open = reached.compactMap { keys[$0] }
        var done: Set<InstanceKey> = []
        while let key = open.popLast() {
            guard done.insert(key).inserted else { continue }
            for instance in groups[key] ?? [] {
                let users = Self.closure(of: [instance.node]) { referrers[$0] }
                // The plan names a model by the first endpoint that uses it.
                let outside = users.subtracting(touched).compactMap { number in
                    ResourceIdentity(self.nodes[number].name).flatMap { $0.kind == .endpoint ? ($0, number) : nil }
                }
                let first = outside.min { $0.0 < $1.0 }?.1
                let added = Self.closure(of: [instance.node] + [first].compactMap(\.self), needs)
                open += added.subtracting(reached).compactMap { keys[$0] }
                reached.formUnion(added)
            }
        }
        return reached
    }

    /// The positions of all resources of some kinds.
    func nodes(of kinds: [Kind]) -> Set<Int> {
        let prefixes = kinds.map { "\($0.rawValue)/" }
        return Set(self.nodes.indices.filter { number in prefixes.contains { self.nodes[number].name.hasPrefix($0) } })
    }

    private static func closure(of seeds: some Sequence<Int>, _ next: (Int) -> [Int]) -> Set<Int> {
        var reached = Set(seeds)
        var open = Array(reached)
        while let node = open.popLast() {
            for other in next(node) where reached.insert(other).inserted { open.append(other) }
        }
        return reached
    }
}
