internal import Schema

extension PlanningPass {
    /// Brings the replicas of a runner to the number that is wanted, if any is.
    ///
    /// - Parameter ready: What more replicas have to come after: the loads of what they lease.
    mutating func scale(_ situation: VariantSituation, _ graph: RevisionGraph, after ready: [Milestone]) {
        let (key, wanted) = (RunnerKey(situation.id, graph.revision), situation.scale.replicas)
        guard let runner = situation.runner(of: graph.revision), self.stops[key] == nil, wanted > 0,
            runner.state == .ready || runner.state == .started, runner.replicas != wanted
        else { return }
        let after = wanted > runner.replicas ? ready : self.decisions[situation.id] ?? []
        self.scales[key] = self.add(scale: key, situation, after: after)
    }

    /// Takes all replicas away from a revision that answers, where none is wanted: its models can be given back then.
    mutating func putToSleep(_ situation: VariantSituation, _ graph: RevisionGraph, after: [Milestone]) {
        let key = RunnerKey(situation.id, graph.revision)
        guard situation.scale.replicas == 0, !situation.isAsleep(graph.revision), self.stops[key] == nil else { return }
        let slept = self.add(scale: key, situation, after: after)
        if slept != .waiting { self.releases[key] = slept }
    }

    private mutating func add(scale key: RunnerKey, _ situation: VariantSituation, after: [Milestone]) -> Milestone {
        let isFixed = situation.settings?.replicas.isFixed ?? true
        return self.draft.add(
            .scale(key, replicas: situation.scale.replicas),
            for: situation.endpoint,
            because: situation.scale.reason,
            cause: PlanCause(resource: situation.endpoint, field: isFixed ? "spec.replicas.min" : "spec.replicas"),
            after: after
        )
    }
}
