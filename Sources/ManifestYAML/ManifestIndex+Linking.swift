internal import Planning
internal import Schema

/// What is known of the ways between resources.
struct ManifestLinking: Sendable {
    /// More names that lead nowhere than a person reads get no hints.
    static let hintLimit = 200

    /// What is wrong with each resource because of others.
    var diagnostics: [ResourceIdentity: [Diagnostic]] = [:]
    /// What is named and not there.
    var missing: Set<ResourceIdentity> = []
    var chainsOfChains: Set<ResourceIdentity> = []
    /// Of each chain that runs itself in the end.
    var cycles: [ResourceIdentity: Diagnostic] = [:]

    var givesHints: Bool { self.missing.count <= Self.hintLimit }
}

extension ManifestIndex {
    /// Judges everything that has changed, and everything whose judgement depends on what has changed.
    mutating func link(_ pending: PendingChanges) -> ManifestChanges {
        var affected = pending.identities
        for identity in pending.identities { affected.formUnion(self.referrers[identity] ?? []) }
        affected.formUnion(self.updateMissing(pending))
        affected.formUnion(self.updateCycles(pending.identities))
        var changes = ManifestChanges(
            removedDiagnostics: pending.removedDiagnostics,
            addedDiagnostics: pending.addedDiagnostics
        )
        changes.facts.reserveCapacity(affected.count)
        var linker = ManifestLinker(index: self)
        for identity in affected {
            let old = self.linking.diagnostics[identity] ?? []
            let new = self.judge(identity, &linker)
            if old != new {
                changes.removedDiagnostics += old
                changes.addedDiagnostics += new
                self.linking.diagnostics[identity] = new.isEmpty ? nil : new
            }
        }
        for identity in affected { changes.facts[identity] = self.fact(about: identity) }
        return changes
    }

    /// Finds out which names lead nowhere now, and gives the resources whose hints may be others.
    private mutating func updateMissing(_ pending: PendingChanges) -> Set<ResourceIdentity> {
        let gaveHints = self.linking.givesHints
        for identity in pending.identities.union(pending.targets) {
            if self.referrers[identity] != nil, !self.exists(identity) {
                self.linking.missing.insert(identity)
            } else {
                self.linking.missing.remove(identity)
            }
        }
        guard !self.linking.missing.isEmpty, gaveHints || self.linking.givesHints else { return [] }
        var affected: Set<ResourceIdentity> = []
        let near = gaveHints == self.linking.givesHints ? NearNames(of: pending.identities) : nil
        for missing in self.linking.missing where near?.mayBeMeant(by: missing) ?? true {
            affected.formUnion(self.referrers[missing] ?? [])
        }
        return affected
    }

    /// Looks for circles again where an edge of one may be new or gone, and gives the chains that are judged otherwise.
    private mutating func updateCycles(_ changed: Set<ResourceIdentity>) -> Set<ResourceIdentity> {
        var isConcerned = false
        for identity in changed where identity.kind == .chain {
            let resource = self.declarations[identity]?.only
            let refersToChains = resource?.references.contains { $0.target.kind == .chain } ?? false
            isConcerned = isConcerned || refersToChains || self.linking.chainsOfChains.contains(identity)
            if refersToChains {
                self.linking.chainsOfChains.insert(identity)
            } else {
                self.linking.chainsOfChains.remove(identity)
            }
        }
        guard isConcerned else { return [] }
        let before = self.linking.cycles
        self.linking.cycles = self.findCycles()
        return Set(
            before.merging(self.linking.cycles) { old, _ in old }.keys.filter { before[$0] != self.linking.cycles[$0] }
        )
    }

    private mutating func judge(_ identity: ResourceIdentity, _ linker: inout ManifestLinker) -> [Diagnostic] {
        guard let declarations = self.declarations[identity] else {
            self.resources[identity] = nil
            self.broken.remove(identity)
            return []
        }
        var diagnostics: [Diagnostic] = []
        if declarations.count > 1 {
            diagnostics = ManifestLinker.duplicates(identity, declarations)
        } else if let resource = declarations[0].resource {
            diagnostics = linker.diagnostics(of: resource)
            if let cycle = self.linking.cycles[identity] { diagnostics.append(cycle) }
        }
        let isSound = declarations.count == 1 && !diagnostics.contains { $0.severity == .error }
        if isSound, let resource = declarations[0].resource {
            self.resources[identity] = resource
            self.broken.remove(identity)
        } else {
            self.resources[identity] = nil
            self.broken.insert(identity)
        }
        return diagnostics
    }

    /// For each chain of a circle of chains, what is wrong.
    private func findCycles() -> [ResourceIdentity: Diagnostic] {
        let chains = self.linking.chainsOfChains.sorted()
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

/// Names that are new or gone, as far as somebody may have meant them.
private struct NearNames {
    private struct Place: Hashable {
        var kind: Kind
        /// A namespace or a name.
        var word: String
    }

    private var namespaces: Set<Place>
    private var names: Set<Place>

    init(of identities: Set<ResourceIdentity>) {
        self.namespaces = Set(identities.map { Place(kind: $0.kind, word: $0.namespace) })
        self.names = Set(identities.map { Place(kind: $0.kind, word: $0.name) })
    }

    func mayBeMeant(by missing: ResourceIdentity) -> Bool {
        self.namespaces.contains(Place(kind: missing.kind, word: missing.namespace))
            || self.names.contains(Place(kind: missing.kind, word: missing.name))
    }
}
