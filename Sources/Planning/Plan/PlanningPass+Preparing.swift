internal import Schema

extension PlanningPass {
    /// Loads what a revision lacks and makes its replicas ready; the result is what traffic has to wait for.
    mutating func prepare(
        _ graph: RevisionGraph,
        of situation: VariantSituation,
        after: [Milestone],
        room: MemoryAdmission.Room? = nil
    ) -> [Milestone] {
        let room = room ?? self.memory.target[situation.id] ?? .after([])
        let loaded = graph.instances.map { self.load($0, situation, after: after, room: room) }
        let key = RunnerKey(situation.id, graph.revision)
        let runner = situation.runner(of: graph.revision)
        var ready = after + loaded
        switch runner?.state {
        case .ready:
            return ready
        case .started where graph.hasWarmUps:
            break
        case nil, .started, .draining, .drained, .failed:
            let action = StepAction.start(graph, replicas: situation.replicasToStart)
            let started = self.draft.add(
                action,
                for: situation.endpoint,
                because: runner.map { "\(key) is \($0.state.rawValue)" + ($0.message.isEmpty ? "" : ": \($0.message)") }
                    ?? "\(graph.revision) does not run yet",
                after: ready,
                deadline: self.deadline(of: action, situation)
            )
            self.starts[key] = started
            ready = [started]
            guard graph.hasWarmUps else { return ready }
        }
        let warm = self.draft.add(
            .warmUp(key),
            for: situation.endpoint,
            because: graph.hasLookups
                ? "a revision answers nobody before all that it looks things up in is open"
                : "a revision answers nobody before it has answered its warm-up requests",
            after: ready,
            deadline: self.deadline(of: .warmUp(key), situation)
        )
        if warm != .waiting { self.starts[key] = warm }
        return [warm]
    }

    private mutating func load(
        _ instance: InstanceSpec,
        _ situation: VariantSituation,
        after: [Milestone],
        room: MemoryAdmission.Room
    ) -> Milestone {
        let copies = self.copies[instance.key] ?? instance.copies
        let observation = self.observed.runtime.instances[instance.key]
        if let observation, observation.state == .ready {
            guard observation.copies != copies else { return .reached }
            let more = self.add(load: instance, copies, situation, "\(copies) copies are wanted", after: after)
            return situation.isRolling ? more : .reached
        }
        guard self.isUsable(instance, for: situation) else { return .waiting }
        // It is loaded when a request asks for it, whatever the plan comes to.
        if instance.isLazy { return .reached }
        switch room {
        case .refused(let shortage):
            self.draft.wait(situation.endpoint, "InsufficientMemory", "not enough memory: \(shortage)")
            return .waiting
        case .after(let unloaded):
            let reason: String
            switch observation?.state {
            case .failed: reason = "the instance of \(instance.model) failed: \(observation?.message ?? "")"
            case .loading: reason = "\(instance.model) is loading"
            case .ready, .demanded, nil: reason = "\(instance.model) is not loaded"
            }
            return self.add(load: instance, copies, situation, reason, after: after + unloaded)
        }
    }

    mutating func add(
        load instance: InstanceSpec,
        _ copies: Int,
        _ situation: VariantSituation,
        _ reason: String,
        after: [Milestone]
    ) -> Milestone {
        let isUnknown =
            self.observed.memoryBudget != nil && instance.declaredMemory == nil
            && self.observed.facts.probes[instance.key] == nil
        var instance = instance
        instance.copies = copies
        // What was measured, so that there is room for it before the engine is asked for it.
        if !isUnknown, self.observed.memoryBudget != nil { instance.declaredMemory = self.memory(of: instance) }
        let loaded = self.draft.add(
            .load(instance),
            for: situation.endpoint,
            because: reason + (isUnknown ? "; what it takes is known after the probe" : ""),
            cause: PlanCause(resource: instance.model),
            after: after,
            deadline: self.deadline(of: .load(instance), situation)
        )
        self.loads[instance.key] = loaded
        return loaded
    }

    /// Whether an instance may be loaded at all; says what it waits for where not.
    mutating func isUsable(_ instance: InstanceSpec, for situation: VariantSituation) -> Bool {
        guard let obstacle = self.obstacle(to: instance) ?? self.excess(of: instance, for: situation) else {
            return true
        }
        self.draft.wait(situation.endpoint, obstacle.word, obstacle.reason)
        return false
    }

    private func obstacle(to instance: InstanceSpec) -> (word: String, reason: String)? {
        if self.observed.facts.crashed.contains(instance.key) {
            return (
                "CrashedWhileLoading",
                "\(instance.model) took the process down while it loaded, so it is not loaded again; 'martlet retry' "
                    + "on an endpoint that uses it tries once more"
            )
        }
        guard let engines = self.observed.engines else { return nil }
        if engines.contains(instance.engine) { return self.missingAccelerator(of: instance) }
        let known = engines.isEmpty ? "none is" : "installed: \(engines.sorted().joined(separator: ", "))"
        return (
            "EngineNotInstalled",
            "\(instance.model) needs the engine '\(instance.engine)', which is not installed; \(known)"
        )
    }

    private func missingAccelerator(of instance: InstanceSpec) -> (word: String, reason: String)? {
        let known = self.observed.accelerators[instance.engine] ?? []
        guard let wanted = instance.accelerator, !known.contains(wanted) else { return nil }
        return (
            "AcceleratorMissing",
            "\(instance.model) asks for the accelerator '\(wanted)' (spec.resources.accelerator); "
                + EngineReport.words(known, of: instance.engine)
        )
    }

    /// A new instance that the probe measured larger than a policy allows. What was promoted before may come back.
    private func excess(
        of instance: InstanceSpec,
        for situation: VariantSituation
    ) -> (word: String, reason: String)? {
        let isNew =
            situation.isRolling && situation.promoted?.instances.contains(where: { $0.key == instance.key }) != true
        // What a lazy one takes is measured after its promotion.
        guard let limit = self.desired.policyReview.memoryLimits[instance.model], isNew || instance.isLazy,
            let measured = self.observed.facts.probes[instance.key]?.measuredBytes, measured > limit.bytes
        else { return nil }
        return (
            PolicyReview.violation,
            "\(instance.model) takes \(memoryWords(measured)) as the probe measured it; \(limit.policy) allows one "
                + "instance \(memoryWords(limit.bytes)) (spec.limits.memory)"
        )
    }

    /// Whether nothing but memory keeps the target from loading: only then is it worth stopping what runs.
    func canLoadTarget(of situation: VariantSituation) -> Bool {
        situation.target?.instances.allSatisfy { instance in
            guard !self.isReady(instance.key) else { return true }
            return self.obstacle(to: instance) == nil && self.excess(of: instance, for: situation) == nil
                && (self.failure(of: .load(instance))?.retryAt ?? self.now) <= self.now
        } ?? false
    }

    /// When a passing trouble of the target's rollout becomes a hold.
    func deadline(of action: StepAction, _ situation: VariantSituation) -> Timestamp? {
        guard situation.isRolling, let failure = self.failure(of: action) else { return nil }
        return situation.deadline(for: failure)
    }
}
