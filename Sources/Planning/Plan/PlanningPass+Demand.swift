internal import Schema

extension PlanningPass {
    /// Loads the lazy instances of a variant that requests wait for, or whose last load failed. The revision answers
    /// by them already, so that nothing else of the plan comes after it.
    ///
    /// Only what this process has not loaded before comes here: it is probed, marked and tried again like any other.
    /// What was loaded once and evicted is brought back without a plan.
    mutating func loadDemanded(of situation: VariantSituation) {
        for instance in situation.lazyInstances {
            switch self.observed.runtime.instances[instance.key]?.state {
            case .demanded, .failed, .loading: break
            case .ready, nil: continue
            }
            guard self.isUsable(instance, for: situation) else { continue }
            let probed = self.probe(instance, situation, after: [])
            let copies = self.copies[instance.key] ?? instance.copies
            _ = self.add(load: instance, copies, situation, "a request waits for \(instance.model)", after: [probed])
        }
    }
}

extension VariantSituation {
    /// The lazy instances that requests may ask for: of the target, and of whatever runs.
    fileprivate var lazyInstances: [InstanceSpec] {
        var seen: Set<InstanceKey> = []
        let running = self.runners.compactMap { self.graph(of: $0.key.revision) }
        return ([self.target].compactMap(\.self) + running).flatMap(\.models).map(\.instance)
            .filter { $0.isLazy && seen.insert($0.key).inserted }
    }
}
