internal import Schema

extension PlanningPass {
    /// Decides, before anything starts, who finds room for what it wants to load.
    mutating func admitToMemory() {
        guard let budget = self.observed.memoryBudget else { return }
        var ledger = self.openLedger(budget)
        // Who does not answer now comes first: another's rollout must not take the room it needs to come back.
        let order = self.situations.filter { $0.target != nil }
        var crowded: [VariantSituation] = []
        for situation in order.filter({ !self.answers($0) }) + order.filter(self.answers) {
            self.admitPromoted(of: situation, &ledger)
            if !self.admitTarget(of: situation, &ledger) { crowded.append(situation) }
        }
        guard !crowded.isEmpty else { return }
        self.swap(crowded, &ledger)
        for situation in crowded {
            guard case .refused? = self.memory.target[situation.id] else { continue }
            self.admitPromoted(of: situation, &ledger, isReplaced: false)
        }
    }

    /// What an instance takes, all its copies together: the manifest's word, else what a probe measured; copies share
    /// the weights. What is not known yet counts as nothing, until the probe has told.
    func memory(of instance: InstanceSpec) -> Int64 {
        let report = self.observed.facts.probes[instance.key]
        guard let one = instance.declaredMemory ?? report?.measuredBytes else { return 0 }
        let another = instance.declaredMemory ?? report?.description.sessionBytes ?? one
        let copies = self.copies[instance.key] ?? instance.copies
        return one + another * Int64(max(copies - 1, 0))
    }

    private func openLedger(_ budget: Int64) -> MemoryLedger {
        let resident = self.observed.runtime.instances
        var specs: [InstanceKey: InstanceSpec] = [:]
        var eager: Set<InstanceKey> = []
        var largestLazy: Int64 = 0
        for situation in self.situations {
            for graph in situation.facts.graphs + [situation.desired].compactMap(\.self) {
                for instance in graph.models.map(\.instance) where resident[instance.key] != nil {
                    specs[instance.key] = instance
                }
            }
            let running = situation.runners.compactMap { situation.graph(of: $0.key.revision) }
            let wanted = running + [situation.target, situation.promoted].compactMap(\.self)
            for graph in wanted where !situation.isAsleep(graph.revision) {
                eager.formUnion(graph.eagerInstances.map(\.key))
            }
            let lazy = (situation.target?.instances ?? []).filter(\.isLazy)
            largestLazy = max(largestLazy, lazy.map(self.memory).max() ?? 0)
        }
        var (staying, leaving): (Int64, Int64) = (0, 0)
        // Lazy ones are evicted where their room is needed, all but one that is used.
        let pinned = resident.filter { eager.contains($0.key) || specs[$0.key]?.isLazy != true }
        for (key, observation) in pinned {
            let bytes = specs[key].map { self.memory(of: $0) } ?? observation.memoryBytes
            if let unload = self.memory.unloads[key], unload != .waiting { leaving += bytes } else { staying += bytes }
        }
        return MemoryLedger(
            budget: budget,
            reserved: largestLazy,
            staying: staying,
            leaving: leaving,
            resident: pinned.keys
        )
    }

    /// Steps that must be done before `bytes` more fit; none while there is room beside what is leaving.
    private func room(for bytes: Int64, _ ledger: MemoryLedger) -> MemoryAdmission.Room {
        guard ledger.needsLeaving(bytes) else { return .after([]) }
        return .after(self.memory.unloads.sorted { $0.key < $1.key }.map(\.value).filter { $0 != .waiting })
    }

    /// - Parameter isReplaced: whether the target may still find room, if need be in the promoted revision's place.
    private mutating func admitPromoted(
        of situation: VariantSituation,
        _ ledger: inout MemoryLedger,
        isReplaced: Bool = true
    ) {
        guard self.wantsPromotedBack(situation), let promoted = situation.promoted else { return }
        let both = ledger.need(
            of: promoted.eagerInstances + (situation.target?.eagerInstances ?? []),
            size: self.memory
        )
        let bytes = ledger.need(of: promoted.eagerInstances, size: self.memory)
        if isReplaced, situation.settings?.rollout.swap == true, !ledger.fits(both) {
            // The old revision was stopped to make room for the new one: bringing it back would undo the swap.
            self.memory.promoted[situation.id] = .refused("the two revisions do not fit together")
        } else if ledger.fits(bytes) {
            self.memory.promoted[situation.id] = self.room(for: bytes, ledger)
            ledger.admit(promoted.eagerInstances, bytes: bytes)
        } else {
            self.memory.promoted[situation.id] = .refused(self.shortage(situation, promoted, bytes, ledger))
        }
    }

    private mutating func admitTarget(of situation: VariantSituation, _ ledger: inout MemoryLedger) -> Bool {
        guard let target = situation.target, !situation.needsNoModels else { return true }
        let bytes = ledger.need(of: target.eagerInstances, size: self.memory)
        guard bytes > 0, !ledger.fits(bytes) else {
            self.memory.target[situation.id] = self.room(for: bytes, ledger)
            ledger.admit(target.eagerInstances, bytes: bytes)
            return true
        }
        self.memory.target[situation.id] = .refused(self.shortage(situation, target, bytes, ledger))
        return false
    }

    private func shortage(
        _ situation: VariantSituation,
        _ graph: RevisionGraph,
        _ bytes: Int64,
        _ ledger: MemoryLedger
    ) -> String {
        let models = graph.eagerInstances.filter { ledger.need(of: [$0], size: self.memory) > 0 }.map(
            \.model.description
        )
        let canSwap = situation.isRolling && situation.promoted != nil && situation.settings?.rollout.swap != true
        let reserved =
            ledger.reserved > 0 ? ", and \(memoryWords(ledger.reserved)) are kept for the largest lazy model" : ""
        let advice = canSwap ? "set rollout.swap: true to stop the old revision first, or raise" : "raise"
        return "\(graph.revision) needs \(memoryWords(bytes)) more for \(models.joined(separator: ", ")), but "
            + "\(memoryWords(ledger.taken)) of the budget of \(memoryWords(ledger.budget)) are taken\(reserved); "
            + "\(advice) the memory budget"
    }
}
