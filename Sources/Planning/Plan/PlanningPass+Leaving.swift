internal import Schema

extension PlanningPass {
    /// Takes down what no rollout has to wait for: pruned endpoints, and runners of failed or superseded attempts.
    mutating func clearLeftovers() {
        for situation in self.situations where self.isPlanned(situation) {
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
        for situation in self.situations where situation.mode == .prune && self.isPlanned(situation) {
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
        var after = after
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
        self.unload(where: { !wanted.contains($0) })
    }

    /// Unloads what the plan's rollouts have replaced.
    mutating func unloadRetired() {
        let promoted = Set(self.promotions.filter { $0.value != .waiting }.keys)
        let wanted = self.keptInstances { !promoted.contains($0.id) }
        self.unload(where: { !wanted.contains($0) })
    }

    /// Instances that somebody needs: targets, promoted revisions where `keepsPromoted` says so, and everything that a
    /// runner leases which this plan does not stop.
    private func keptInstances(_ keepsPromoted: (VariantSituation) -> Bool) -> Set<InstanceKey> {
        var kept: Set<InstanceKey> = []
        for situation in self.situations {
            let isSuspended = situation.mode.isSuspended
            for graph in [situation.target, isSuspended ? situation.desired : nil].compactMap(\.self) {
                kept.formUnion(graph.models.map(\.instance.key))
            }
            if situation.mode != .prune, keepsPromoted(situation), let promoted = situation.promoted {
                kept.formUnion(promoted.models.map(\.instance.key))
            }
            for (key, _) in situation.runners where !self.isStopped(key) {
                kept.formUnion(situation.graph(of: key.revision)?.models.map(\.instance.key) ?? [])
            }
        }
        return kept
    }

    private func isStopped(_ runner: RunnerKey) -> Bool {
        guard let stop = self.stops[runner] else { return false }
        return stop != .waiting
    }

    private mutating func unload(where isUnwanted: (InstanceKey) -> Bool) {
        var unwanted = Set(self.observed.runtime.instances.keys.filter(isUnwanted))
        unwanted.formUnion(self.loads.filter { $0.value != .waiting && isUnwanted($0.key) }.keys)
        guard !unwanted.isEmpty else { return }
        let leases = self.stopsByInstance(unwanted)
        for instance in unwanted.sorted() {
            let known = leases[instance]
            let model = known?.model ?? ResourceIdentity(.model, namespace: "unknown", name: instance.description)
            let after = (known?.stops ?? []) + [self.loads[instance]].compactMap(\.self).filter { $0 != .waiting }
            let unloaded = self.draft.add(
                .unload(instance),
                for: model,
                because: "no revision leases it any more",
                after: after
            )
            self.memory.unloads[instance] = unloaded
        }
    }

    /// The runners that lease each of these instances, as the steps that stop them, and the model's name.
    private func stopsByInstance(
        _ instances: Set<InstanceKey>
    ) -> [InstanceKey: (model: ResourceIdentity, stops: [Milestone])] {
        var leases: [InstanceKey: (model: ResourceIdentity, stops: [Milestone])] = [:]
        for situation in self.situations {
            let graphs = situation.facts.graphs + [situation.desired].compactMap(\.self)
            for graph in graphs {
                let stop = self.stops[RunnerKey(situation.id, graph.revision)]
                for instance in graph.models.map(\.instance) where instances.contains(instance.key) {
                    leases[instance.key, default: (instance.model, [])].stops += [stop].compactMap(\.self)
                }
            }
        }
        return leases
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
