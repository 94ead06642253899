internal import Schema

extension PlanningPass {
    /// Takes down what no rollout has to wait for: pruned endpoints, and runners of failed or superseded attempts.
    mutating func clearLeftovers() {
        for situation in self.situations {
            switch situation.mode {
            case .suspended:
                continue
            case .prune:
                self.prune(situation)
            case .follow, .keep:
                self.clearAttempts(of: situation)
            }
        }
    }

    private mutating func prune(_ situation: VariantSituation) {
        let gone = "\(situation.endpoint) left the repository"
        let reason = situation.id.tenant.map { "\($0)'s own variant left \(situation.endpoint)" } ?? gone
        var closed: [Milestone] = []
        if situation.id.tenant == nil {
            let isRouted = self.observed.runtime.settings[situation.endpoint] != nil || !situation.traffic.isEmpty
            if isRouted {
                closed.append(
                    self.draft.add(.removeEndpoint(situation.endpoint), for: situation.endpoint, because: gone)
                )
            }
        } else if !situation.traffic.isEmpty {
            closed.append(
                self.draft.add(.setTraffic(situation.id, []), for: situation.endpoint, because: reason)
            )
        }
        let stopped = situation.runners.map { key, runner in
            self.takeDown(key, runner, of: situation, because: reason, after: closed)
        }
        self.decisions[situation.id] = closed + stopped
    }

    /// Forgets pruned variants, last of all: until then their facts say what their leftovers are.
    mutating func forgetPruned() {
        for situation in self.situations where situation.mode == .prune {
            guard self.observed.facts.variants[situation.id] != nil || !situation.holds.isEmpty else { continue }
            let instances = Set(situation.facts.graphs.flatMap(\.models).map(\.instance.key))
            let unloaded = instances.sorted().compactMap { self.memory.unloads[$0] }
            _ = self.draft.add(
                .forget(situation.id),
                for: situation.endpoint,
                because: "\(situation.id) left the repository",
                after: (self.decisions[situation.id] ?? []) + unloaded
            )
        }
    }

    private mutating func clearAttempts(of situation: VariantSituation) {
        let wanted = [situation.target?.revision, situation.promoted?.revision]
        var moved = self.decisions[situation.id] ?? []
        if situation.target == nil, !situation.traffic.isEmpty {
            moved.append(
                self.draft.add(
                    .setTraffic(situation.id, []),
                    for: situation.endpoint,
                    because: "no revision can answer",
                    after: moved
                )
            )
        }
        for (key, runner) in situation.runners where !wanted.contains(key.revision) {
            guard situation.target == nil || !situation.hasTraffic(key.revision) else { continue }
            _ = self.takeDown(key, runner, of: situation, because: "\(key.revision) is not wanted", after: moved)
        }
    }

    /// Drains what may still be under way, then stops.
    mutating func takeDown(
        _ key: RunnerKey,
        _ runner: RunnerObservation?,
        of situation: VariantSituation,
        because reason: String,
        after: [Milestone]
    ) -> Milestone {
        // Who was told to have more replicas has them before it has none; nobody waits for one that fails to.
        var after = after + [self.scales[key]].compactMap(\.self).filter { $0 != .waiting }
        if runner.needsDraining {
            after.append(
                self.draft.add(
                    .drain(key, timeout: situation.drainTimeout),
                    for: situation.endpoint,
                    because: reason,
                    after: after
                )
            )
        }
        let stopped = self.draft.add(.stop(key), for: situation.endpoint, because: reason, after: after)
        self.stops[key] = stopped
        return stopped
    }

    /// Unloads what nothing leases and nothing wants, so that there is room for what comes.
    mutating func unloadGarbage() {
        let wanted = self.keptInstances { _ in true }
        self.unload(keeping: wanted)
    }

    /// Unloads what the plan's rollouts have replaced.
    mutating func unloadRetired() {
        let promoted = Set(self.promotions.filter { $0.value != .waiting }.keys)
        let wanted = self.keptInstances { !promoted.contains($0.id) }
        self.unload(keeping: wanted)
    }

    /// Instances that somebody needs: targets, promoted revisions where `keepsPromoted` says so, and everything that a
    /// runner leases which this plan does not stop.
    private func keptInstances(_ keepsPromoted: (VariantSituation) -> Bool) -> Set<InstanceKey> {
        self.situations.reduce(into: []) { kept, situation in
            kept.formUnion(
                situation.keptInstances(promoted: keepsPromoted(situation)) {
                    !self.isStopped($0)
                } isReleased: {
                    self.releases[$0] != nil
                }
            )
        }
    }

    private func isStopped(_ runner: RunnerKey) -> Bool {
        guard let stop = self.stops[runner] else { return false }
        return stop != .waiting
    }

    private mutating func unload(keeping wanted: Set<InstanceKey>) {
        let planned = self.loads.filter { $0.value != .waiting }.keys
        let unwanted = Set(self.observed.runtime.instances.keys).union(planned)
            .filter { !wanted.contains($0) && !self.others.keeps($0) }
        guard !unwanted.isEmpty else { return }
        let stops = self.stopsByInstance(unwanted)
        for instance in unwanted.sorted() {
            // A runner whose graph is forgotten still holds it; nothing to be done before that one has stopped.
            let isHeld = stops[instance] == nil && self.observed.runtime.instances[instance]?.isLeased == true
            if isHeld { continue }
            let after = (stops[instance] ?? []) + [self.loads[instance]].compactMap(\.self).filter { $0 != .waiting }
            let unloaded = self.draft.add(
                .unload(instance),
                for: self.model(of: instance),
                because: "no revision leases it any more",
                after: after
            )
            self.memory.unloads[instance] = unloaded
        }
    }

    /// The steps that stop the runners that lease each of these instances, or leave them without replicas.
    private func stopsByInstance(_ instances: Set<InstanceKey>) -> [InstanceKey: [Milestone]] {
        var stops: [InstanceKey: [Milestone]] = [:]
        for situation in self.situations {
            for graph in situation.facts.graphs + [situation.desired].compactMap(\.self) {
                let key = RunnerKey(situation.id, graph.revision)
                guard let stop = self.stops[key] ?? self.releases[key] else { continue }
                for model in graph.models where instances.contains(model.instance.key) {
                    stops[model.instance.key, default: []].append(stop)
                }
            }
        }
        return stops
    }

    /// What an instance is called in the graphs of the first variant that knows it.
    private func model(of instance: InstanceKey) -> ResourceIdentity {
        let unknown = ResourceIdentity(.model, namespace: "unknown", name: instance.description)
        guard let variant = self.index.instanceUsers[instance]?.min() else { return unknown }
        let graphs = self.observed.facts.variants[variant]?.graphs ?? []
        let models = (graphs + [self.desired.variants[variant]].compactMap(\.self)).lazy.flatMap(\.models)
        return models.first { $0.instance.key == instance }?.identity ?? unknown
    }
}

extension VariantSituation.Mode {
    var isSuspended: Bool {
        if case .suspended = self { return true }
        return false
    }
}

extension Optional<RunnerObservation> {
    /// Whether requests may be under way; of a runner that is only planned, too.
    fileprivate var needsDraining: Bool {
        guard let runner = self else { return true }
        switch runner.state {
        case .ready, .draining: return true
        case .started: return runner.inFlight > 0
        case .drained, .failed: return false
        }
    }
}
