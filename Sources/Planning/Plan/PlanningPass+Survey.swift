internal import Schema

extension PlanningPass {
    /// Looks at every variant in scope once: what it is to be, what it is, and what stands in its way.
    func survey() -> [VariantSituation] {
        self.variants().map { id in
            let situation = self.situation(of: id)
            self.settle(situation)
            return situation
        }
    }

    private func variants() -> [VariantID] {
        switch self.scope {
        case .endpoints(let endpoints):
            return endpoints.flatMap { self.index.variants(of: $0) }.filter(self.isKnown).sorted()
        case .everything:
            var ids = Set(self.desired.variants.keys)
            ids.formUnion(self.observed.facts.variants.keys)
            ids.formUnion(self.observed.runtime.traffic.keys)
            ids.formUnion(self.index.runners.keys)
            ids.formUnion(self.index.holds.keys)
            for endpoint in self.observed.runtime.settings.keys {
                ids.insert(VariantID(defaultOf: endpoint))
            }
            for resource in self.desired.blocked.keys where resource.kind == .endpoint {
                ids.insert(VariantID(defaultOf: resource))
            }
            return ids.sorted()
        }
    }

    /// Whether a variant is wanted, runs or was written down.
    private func isKnown(_ id: VariantID) -> Bool {
        let isNamed =
            self.desired.variants[id] != nil || self.observed.facts.variants[id] != nil
            || self.observed.runtime.traffic[id] != nil || self.index.runners[id] != nil || self.index.holds[id] != nil
        guard !isNamed, id.tenant == nil else { return isNamed }
        return self.observed.runtime.settings[id.resource] != nil || self.desired.blocked[id.resource] != nil
    }

    private func situation(of id: VariantID) -> VariantSituation {
        let facts = self.observed.facts.variants[id] ?? VariantFacts()
        let desired = self.desired.variants[id]
        let promoted = facts.promoted.flatMap { revision in
            desired?.revision == revision ? desired : facts.graph(of: revision)
        }
        let defaultID = VariantID(defaultOf: id.resource)
        let kept = self.observed.facts.variants[defaultID]?.settings
        let situation = VariantSituation(
            id: id,
            mode: self.mode(of: id, desired: desired, promoted: promoted),
            facts: facts,
            desired: desired,
            promoted: promoted,
            settings: self.desired.settings[id.resource] ?? kept,
            holds: Dictionary(
                (self.index.holds[id] ?? []).map { ($0.revision, $0) },
                uniquingKeysWith: { _, last in last }
            ),
            runners: (self.index.runners[id] ?? []).compactMap { revision in
                let key = RunnerKey(id, revision)
                return self.observed.runtime.runners[key].map { (key, $0) }
            },
            traffic: self.observed.runtime.traffic[id] ?? [],
            scaling: self.observed.scaling[id]
        )
        switch situation.mode {
        case .follow, .keep: situation.resolveTarget()
        case .suspended: situation.target = promoted
        case .prune: situation.target = nil
        }
        return situation
    }

    private func mode(
        of id: VariantID,
        desired: RevisionGraph?,
        promoted: RevisionGraph?
    ) -> VariantSituation.Mode {
        if let suspended = self.suspension(of: id, [desired, promoted].compactMap(\.self)) {
            return .suspended(suspended)
        }
        if desired != nil { return .follow }
        if let blocker = self.desired.blocked[id.resource] {
            let culprit = blocker.resource == id.resource ? "" : " by \(blocker.resource)"
            return .keep(word: blocker.word(for: id.resource), "blocked\(culprit): \(blocker.message)")
        }
        if self.desired.retained.contains(id.resource) {
            return .keep(word: "FileUnreadable", "the file that declared it cannot be read")
        }
        if let stop = self.desired.stop(of: id.resource) { return .keep(word: PruneStop.word, stop.message) }
        return .prune
    }

    /// What of a variant is suspended, and how that ends, in words; nil when nothing is.
    private func suspension(of id: VariantID, _ graphs: [RevisionGraph]) -> String? {
        let suspensions = self.observed.facts.suspensions
        if suspensions.isEmpty { return nil }
        if suspensions.contains(.everything) { return "everything is suspended; 'martlet resume --all' goes on" }
        let resources = [id.resource] + graphs.flatMap(\.reached)
        return resources.first { suspensions.contains(.resource($0)) }
            .map { "\($0) is suspended; 'martlet resume \($0)' goes on" }
    }

    /// Finds the target that can still be attempted, with the holds that have to be written for those that cannot.
    private func settle(_ situation: VariantSituation) {
        switch situation.mode {
        case .suspended, .prune: return
        case .follow, .keep: break
        }
        while let hold = self.failedAttempt(situation), situation.holds[hold.revision] == nil {
            situation.holds[hold.revision] = hold
            situation.newHolds.append(hold)
            situation.resolveTarget()
        }
    }
}

extension RevisionGraph {
    /// Every resource that the revision reaches, beside its endpoint.
    var reached: [ResourceIdentity] {
        let datasets = self.templates.compactMap { template in
            template.spec.examples?.dataset.flatMap {
                ResourceIdentity(.dataset, reference: $0, in: template.identity.namespace)
            }
        }
        let parts = self.chains.map(\.identity) + self.templates.map(\.identity) + self.models.map(\.identity)
        return self.hasLookups ? parts + datasets + self.reachedForLookups : parts + datasets
    }

    /// Knowledge bases and tables, and the datasets that they read.
    private var reachedForLookups: [ResourceIdentity] {
        let named =
            self.knowledge.map { ($0.identity, $0.spec.documents.compactMap(\.dataset)) }
            + self.tables.map { ($0.identity, [$0.spec.dataset].compactMap(\.self)) }
        return named.flatMap { identity, datasets in
            [identity]
                + datasets.compactMap { ResourceIdentity(.dataset, reference: $0, in: identity.namespace) }
        }
    }
}
