internal import Schema

extension PlanningPass {
    /// Brings a variant to its target: by a rollout, or by mending what the promoted revision has lost.
    mutating func bring(_ situation: VariantSituation) {
        guard let target = situation.target else { return }
        self.loadDemanded(of: situation)
        if situation.mode.isSuspended {
            guard !self.answers(situation) else { return }
            let ready = self.prepare(target, of: situation, after: [])
            _ = self.shift(situation, to: target, after: ready)
            // It is woken where it slept; how much it has to do counts no more than that.
            if situation.runner(of: target.revision)?.replicas == 0 { self.scale(situation, target, after: ready) }
            return
        }
        let decisions = self.decisions[situation.id] ?? []
        if situation.isRolling {
            self.roll(situation, to: target)
            self.scale(situation, target, after: decisions)
            // A revision that answers nobody has shown before that it can.
            if let promoted = self.promotions[situation.id] { self.putToSleep(situation, target, after: [promoted]) }
        } else {
            let ready = situation.needsNoModels ? decisions : self.prepare(target, of: situation, after: decisions)
            let moved = self.shift(situation, to: target, after: ready)
            self.retireOthers(of: situation, than: target, after: [moved])
            self.scale(situation, target, after: ready)
            self.putToSleep(situation, target, after: ready + [moved])
        }
    }

    /// Lets the rollout say what comes next, and plans as if all of it went well.
    private mutating func roll(_ situation: VariantSituation, to target: RevisionGraph) {
        var rollout = self.rollout(of: situation, target)
        let begun = self.beginAndProbe(situation)
        let restored = self.bringBackPromoted(of: situation)
        self.clearUnpromoted(of: situation, after: restored)
        var after = begun
        var actions = rollout.receive(.resumed, at: self.now)
        while let action = actions.first {
            let event: Rollout.Event
            switch action {
            case .prepare:
                after = self.prepare(target, of: situation, after: begun)
                event = .prepared
            case .shift(let weight):
                after = [self.shift(situation, to: target, after: after + restored)]
                event = .shifted(weight)
            case .promote:
                let promoted = self.promote(situation, target, after: after + begun)
                self.promotions[situation.id] = promoted
                self.retireOthers(of: situation, than: target, after: [promoted])
                event = .promoted
            case .abandon:
                return
            }
            actions = rollout.receive(event, at: self.now)
        }
    }

    private func rollout(of situation: VariantSituation, _ target: RevisionGraph) -> Rollout {
        if let rollout = situation.facts.rollout, rollout.revision == target.revision, rollout.phase != .failed {
            return rollout
        }
        let strategy = situation.settings?.rollout.strategy ?? .immediate
        return Rollout(revision: target.revision, strategy: strategy, startedAt: self.now)
    }

    /// The first part of a rollout, which costs the running revision nothing: writes down that it begins, and probes.
    mutating func beginAndProbe(_ situation: VariantSituation) -> [Milestone] {
        guard situation.isRolling, let target = situation.target else { return [] }
        let rollout = self.rollout(of: situation, target)
        var begun = self.decisions[situation.id] ?? []
        if situation.facts.rollout != rollout {
            let (reason, cause) = self.explain(situation, target)
            begun.append(
                self.draft.add(
                    .beginRollout(target, rollout),
                    for: situation.endpoint,
                    because: reason,
                    cause: cause,
                    after: begun
                )
            )
        }
        let isTrusted = situation.facts.earlier.contains(target.revision)
        guard !isTrusted else { return begun }
        return begun + target.eagerInstances.map { self.probe($0, situation, after: begun) }
    }

    mutating func probe(
        _ instance: InstanceSpec,
        _ situation: VariantSituation,
        after: [Milestone]
    ) -> Milestone {
        guard instance.upstreams == nil, self.observed.facts.probes[instance.key] == nil, !self.isReady(instance.key)
        else { return .reached }
        guard self.isUsable(instance, for: situation) else { return .waiting }
        return self.draft.add(
            .probe(instance),
            for: situation.endpoint,
            because: "\(instance.model) is new: it is opened in a child process first, and measured",
            cause: PlanCause(resource: instance.model, field: "spec.source"),
            after: after,
            deadline: self.deadline(of: .probe(instance), situation)
        )
    }
}
