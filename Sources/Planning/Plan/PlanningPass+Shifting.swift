internal import Schema

extension PlanningPass {
    /// Whether requests are answered: traffic goes to ready runners, and what they lease can answer. Runners without
    /// replicas do as long as none is wanted.
    func answers(_ situation: VariantSituation) -> Bool {
        situation.isServing
            && situation.traffic.allSatisfy { share in
                guard situation.runner(of: share.revision)?.replicas != 0 else { return situation.scale.replicas == 0 }
                return situation.graph(of: share.revision)?.models.allSatisfy { self.canAnswer($0.instance) } ?? true
            }
    }

    /// Whether the promoted revision should answer again while another one is prepared: nobody does, or one that was
    /// superseded before it was promoted.
    func wantsPromotedBack(_ situation: VariantSituation) -> Bool {
        guard situation.isRolling, let target = situation.target, let promoted = situation.promoted else {
            return false
        }
        guard situation.holds[promoted.revision] == nil else { return false }
        let mayServe = [target.revision, promoted.revision]
        if self.answers(situation), situation.traffic.allSatisfy({ mayServe.contains($0.revision) }) { return false }
        return situation.runner(of: target.revision)?.state != .ready
    }

    /// Brings the promoted revision back as far as that is possible; gives what the new traffic has to come after.
    mutating func bringBackPromoted(of situation: VariantSituation) -> [Milestone] {
        guard let promoted = situation.promoted else { return [] }
        let decisions = self.decisions[situation.id] ?? []
        guard self.wantsPromotedBack(situation) else {
            if situation.runner(of: promoted.revision)?.replicas != 0 {
                self.scale(situation, promoted, after: decisions)
            }
            return []
        }
        let room = self.memory.promoted[situation.id] ?? .after([])
        if case .refused = room { return [] }
        let ready = self.prepare(promoted, of: situation, after: decisions, room: room)
        self.scale(situation, promoted, after: ready)
        let moved = self.shift(situation, to: promoted, after: ready)
        return moved == .waiting ? [] : [moved]
    }

    /// Takes down what served without ever being promoted, once the promoted revision answers again.
    mutating func clearUnpromoted(of situation: VariantSituation, after restored: [Milestone]) {
        guard !restored.isEmpty else { return }
        let wanted = [situation.target?.revision, situation.promoted?.revision]
        for (key, runner) in situation.runners where !wanted.contains(key.revision) && self.stops[key] == nil {
            _ = self.takeDown(key, runner, of: situation, because: "\(key.revision) is not wanted", after: restored)
        }
    }

    /// Sends all of a variant's requests to one revision.
    mutating func shift(
        _ situation: VariantSituation,
        to graph: RevisionGraph,
        after: [Milestone]
    ) -> Milestone {
        let shares = [TrafficShare(revision: graph.revision, weight: 100)]
        guard situation.traffic != shares else { return after.contains(.waiting) ? .waiting : .reached }
        let others = situation.traffic.map(\.revision.description).joined(separator: ", ")
        return self.draft.add(
            .setTraffic(situation.id, shares),
            for: situation.endpoint,
            because: others.isEmpty
                ? "nobody answers \(situation.id) yet" : "\(graph.revision) is ready to take over from \(others)",
            after: after
        )
    }

    mutating func promote(
        _ situation: VariantSituation,
        _ graph: RevisionGraph,
        after: [Milestone]
    ) -> Milestone {
        self.draft.add(
            .promote(RunnerKey(situation.id, graph.revision)),
            for: situation.endpoint,
            because: "all requests are answered by \(graph.revision)",
            cause: self.explain(situation, graph).cause,
            after: after
        )
    }

    /// Takes down every runner but the given revision's, once its traffic is gone; planned ones too.
    mutating func retireOthers(of situation: VariantSituation, than graph: RevisionGraph, after: [Milestone]) {
        let kept = RunnerKey(situation.id, graph.revision)
        var others: [RunnerKey: RunnerObservation?] = [:]
        for (key, runner) in situation.runners { others[key] = runner }
        if let promoted = situation.promoted {
            let key = RunnerKey(situation.id, promoted.revision)
            if let start = self.starts[key], start != .waiting { others[key] = .some(nil) }
        }
        for (key, runner) in others.sorted(by: { $0.key < $1.key }) where key != kept && self.stops[key] == nil {
            _ = self.takeDown(
                key,
                runner,
                of: situation,
                because: "\(graph.revision) answers instead",
                after: after + [self.starts[key]].compactMap(\.self).filter { $0 != .waiting }
            )
        }
    }

    /// Why a variant rolls, in words, and the field that it goes back to.
    mutating func explain(
        _ situation: VariantSituation,
        _ target: RevisionGraph
    ) -> (reason: String, cause: PlanCause) {
        if let desired = situation.desired, desired.revision != target.revision {
            let hold = situation.holds[desired.revision]
            let why = hold.map { "\($0.reason) by \($0.actor): \($0.message)" } ?? "held"
            return ("back to \(target.revision): \(why)", PlanCause(resource: situation.endpoint))
        }
        guard let promoted = situation.promoted else {
            return (
                "the first revision of \(situation.id)", PlanCause(resource: situation.endpoint, field: "spec.serve")
            )
        }
        let diff = self.diff(of: situation.id, from: promoted, to: target)
        return (diff.summary, diff.cause ?? PlanCause(resource: situation.endpoint, field: "spec.serve"))
    }

    /// A rollout takes many plans, all of which ask the same.
    private mutating func diff(
        of variant: VariantID,
        from promoted: RevisionGraph,
        to target: RevisionGraph
    ) -> RevisionDiff {
        let known = self.explained[variant] ?? self.explainedBefore[variant]
        if let known, known.from == promoted, known.to == target {
            self.explained[variant] = known
            return known.diff
        }
        let diff = RevisionDiff(from: promoted, to: target)
        self.explained[variant] = Explanation(from: promoted, to: target, diff: diff)
        return diff
    }
}

/// What was found to differ between two revisions.
struct Explanation: Sendable {
    let from: RevisionGraph
    let to: RevisionGraph
    let diff: RevisionDiff
}
