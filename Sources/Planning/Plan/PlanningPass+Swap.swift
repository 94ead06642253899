internal import Schema

extension PlanningPass {
    /// Makes room by stopping old revisions before the new ones load, where endpoints allow that gap: one by one where
    /// that is enough, else together, since revisions that share an instance can only leave it together.
    mutating func swap(_ crowded: [VariantSituation], _ ledger: inout MemoryLedger) {
        let willing = crowded.filter { situation in
            situation.settings?.rollout.swap == true && situation.isRolling && self.canLoadTarget(of: situation)
        }
        guard !willing.isEmpty else { return }
        let users = self.users()
        var together: [VariantSituation] = []
        for situation in willing where !self.swap([situation], users, &ledger) {
            together.append(situation)
        }
        if together.count > 1 { _ = self.swap(together, users, &ledger) }
    }

    /// Who needs each loaded instance, now or in the end.
    private func users() -> [InstanceKey: Set<VariantID>] {
        var users: [InstanceKey: Set<VariantID>] = [:]
        for situation in self.situations {
            let running = situation.runners.compactMap { situation.graph(of: $0.key.revision) }
            for graph in running + [situation.promoted, situation.target].compactMap(\.self) {
                for model in graph.models { users[model.instance.key, default: []].insert(situation.id) }
            }
        }
        return users
    }

    private mutating func swap(
        _ situations: [VariantSituation],
        _ users: [InstanceKey: Set<VariantID>],
        _ ledger: inout MemoryLedger
    ) -> Bool {
        let ids = Set(situations.map(\.id))
        let targets = situations.flatMap { $0.target?.eagerInstances ?? [] }
        let kept = Set(targets.map(\.key))
        var freed: [InstanceKey: InstanceSpec] = [:]
        for instance in situations.flatMap({ $0.promoted?.eagerInstances ?? [] }) {
            let isLoaded = self.observed.runtime.instances[instance.key] != nil
            let isOwn = users[instance.key]?.isSubset(of: ids) ?? true
            if isLoaded, isOwn, !kept.contains(instance.key) { freed[instance.key] = instance }
        }
        let bytes = ledger.need(of: targets, size: self.memory)
        let freedBytes = freed.values.reduce(0) { $0 + self.memory(of: $1) }
        guard ledger.fits(bytes, freeing: freedBytes) else { return false }
        let unloaded = self.takeDown(situations, freeing: freed, for: bytes, of: ledger.budget)
        let leaving = self.memory.unloads.sorted { $0.key < $1.key }.map(\.value).filter { $0 != .waiting }
        for situation in situations {
            self.memory.target[situation.id] = .after(Array(Set(unloaded + leaving)))
        }
        ledger.admit(targets, bytes: bytes, freeing: freedBytes)
        return true
    }

    /// Stops the old revisions of a swap; nothing is touched before every probe of the new ones is done.
    private mutating func takeDown(
        _ situations: [VariantSituation],
        freeing freed: [InstanceKey: InstanceSpec],
        for bytes: Int64,
        of budget: Int64
    ) -> [Milestone] {
        var probed: [Milestone] = []
        for situation in situations { probed += self.beginAndProbe(situation) }
        var stopped: [InstanceKey: [Milestone]] = [:]
        for situation in situations {
            let reason =
                "swap: the old revision and the new one, which needs \(memoryWords(bytes)) more, do not fit into "
                + "\(memoryWords(budget)) together; \(situation.endpoint) does not answer until the new one is ready"
            for (revision, stop) in self.stopAll(of: situation, because: reason, after: probed) {
                for instance in situation.graph(of: revision)?.instances ?? [] {
                    stopped[instance.key, default: []].append(stop)
                }
            }
        }
        return freed.sorted { $0.key < $1.key }.map { key, instance in
            let unloaded = self.draft.add(
                .unload(key),
                for: instance.model,
                because: "swap: its memory is needed for the new revision",
                after: probed + (stopped[key] ?? [])
            )
            self.memory.unloads[key] = unloaded
            return unloaded
        }
    }

    /// Sends a variant's traffic nowhere, and stops all its runners but the target's.
    private mutating func stopAll(
        of situation: VariantSituation,
        because reason: String,
        after: [Milestone]
    ) -> [(revision: Revision, stop: Milestone)] {
        var after = after
        if !situation.traffic.isEmpty {
            after.append(
                self.draft.add(
                    .setTraffic(situation.id, []),
                    for: situation.endpoint,
                    because: reason,
                    cause: PlanCause(resource: situation.endpoint, field: "spec.rollout.swap"),
                    after: after
                )
            )
        }
        return situation.runners.filter { $0.key.revision != situation.target?.revision }.map { key, runner in
            (key.revision, self.takeDown(key, runner, of: situation, because: reason, after: after))
        }
    }
}
