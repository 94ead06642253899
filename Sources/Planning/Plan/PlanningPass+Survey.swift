internal import Schema

extension PlanningPass {
    /// Looks at every variant once: what it is to be, what it is, and what stands in its way.
    func survey() -> [VariantSituation] {
        let runners = Dictionary(grouping: self.observed.runtime.runners, by: \.key.variant)
        let holds = Dictionary(grouping: self.observed.facts.holds, by: \.variant)
        return self.variants(running: runners.keys, held: holds.keys).map { id in
            var situation = self.situation(
                of: id,
                runners: (runners[id] ?? []).sorted { $0.key < $1.key },
                holds: holds[id] ?? []
            )
            self.settle(&situation)
            return situation
        }
    }

    private func variants(
        running: some Sequence<VariantID>,
        held: some Sequence<VariantID>
    ) -> [VariantID] {
        var ids = Set(self.desired.variants.keys)
        ids.formUnion(self.observed.facts.variants.keys)
        ids.formUnion(self.observed.runtime.traffic.keys)
        ids.formUnion(running)
        ids.formUnion(held)
        for endpoint in self.observed.runtime.settings.keys {
            ids.insert(VariantID(namespace: endpoint.namespace, endpoint: endpoint.name))
        }
        for resource in self.desired.blocked.keys where resource.kind == .endpoint {
            ids.insert(VariantID(namespace: resource.namespace, endpoint: resource.name))
        }
        return ids.sorted()
    }

    private func situation(
        of id: VariantID,
        runners: [(key: RunnerKey, value: RunnerObservation)],
        holds: [Hold]
    ) -> VariantSituation {
        let facts = self.observed.facts.variants[id] ?? VariantFacts()
        let desired = self.desired.variants[id]
        let promoted = facts.promoted.flatMap { revision in
            desired?.revision == revision ? desired : facts.graph(of: revision)
        }
        let defaultID = VariantID(namespace: id.namespace, endpoint: id.endpoint)
        let kept = self.observed.facts.variants[defaultID]?.settings
        var situation = VariantSituation(
            id: id,
            mode: self.mode(of: id, desired: desired, promoted: promoted),
            facts: facts,
            desired: desired,
            promoted: promoted,
            settings: self.desired.settings[id.resource] ?? kept,
            holds: Dictionary(holds.map { ($0.revision, $0) }, uniquingKeysWith: { _, last in last }),
            runners: runners,
            traffic: self.observed.runtime.traffic[id] ?? []
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

    /// What of a variant is suspended, in words; nil when nothing is.
    private func suspension(of id: VariantID, _ graphs: [RevisionGraph]) -> String? {
        let suspensions = self.observed.facts.suspensions
        if suspensions.isEmpty { return nil }
        if suspensions.contains(.everything) { return "everything is suspended" }
        let resources = [id.resource] + graphs.flatMap(\.reached)
        return resources.first { suspensions.contains(.resource($0)) }.map { "\($0) is suspended" }
    }

    /// Finds the target that can still be attempted, with the holds that have to be written for those that cannot.
    private func settle(_ situation: inout VariantSituation) {
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
        return self.chains.map(\.identity) + self.templates.map(\.identity) + self.models.map(\.identity) + datasets
    }
}
