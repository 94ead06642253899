internal import Schema

extension ObservedState {
    /// The state after a step that succeeded, as far as can be told without doing it.
    ///
    /// What the step means for the written facts is exact: the controller records it by this same function. What it
    /// means for the runtime is what plans are made for; a probe, whose result only reality knows, reports the declared
    /// memory, or else the artifact's size.
    package func applying(_ step: PlanStep, at now: Timestamp) -> ObservedState {
        var state = self
        state.facts.record(step.action)
        state.runtime.assume(step.action)
        state.failures[step.action.key] = nil
        return state
    }

    /// The state after every step of a plan, in the plan's order.
    package func applying(_ plan: Plan, at now: Timestamp) -> ObservedState {
        var state = self
        for step in plan.steps {
            state.facts.record(step.action)
            state.runtime.assume(step.action)
            state.failures[step.action.key] = nil
        }
        return state
    }

    /// The state in which nothing is left to do for a commit: what a plan without a server starts from.
    package static func converged(to desired: DesiredState, engines: Set<String>? = nil) -> ObservedState {
        let start = Timestamp(milliseconds: 0)
        let empty = ObservedState(engines: engines)
        return empty.applying(Planner.plan(desired: desired, observed: empty, now: start), at: start)
    }
}

extension Facts {
    /// Writes down what a step that succeeded means for the facts.
    package mutating func record(_ action: StepAction) {
        switch action {
        case .probe(let instance):
            if self.probes[instance.key] == nil { self.probes[instance.key] = ProbeReport(assumedFor: instance) }
        case .beginRollout(let graph, let rollout):
            self.variants[graph.variant, default: VariantFacts()].begin(rollout, with: graph)
        case .advanceRollout(let variant, let rollout):
            switch rollout.phase {
            case .preparing, .shifting: self.variants[variant]?.rollout = rollout
            case .complete, .failed: self.variants[variant]?.rollout = nil
            }
        case .promote(let runner):
            self.variants[runner.variant, default: VariantFacts()].promote(runner.revision)
        case .hold(let hold):
            self.holds.removeAll { $0.variant == hold.variant && $0.revision == hold.revision }
            self.holds.append(hold)
            if self.variants[hold.variant]?.rollout?.revision == hold.revision {
                self.variants[hold.variant]?.rollout = nil
            }
        case .liftHold(let variant, let revision):
            self.holds.removeAll { $0.variant == variant && $0.revision == revision }
        case .forget(let variant):
            self.variants[variant] = nil
            self.holds.removeAll { $0.variant == variant }
        case .applySettings(let endpoint, let settings):
            let variant = VariantID(defaultOf: endpoint)
            self.variants[variant, default: VariantFacts()].settings = settings
        case .load, .start, .warmUp, .setTraffic, .scale, .drain, .stop, .unload, .removeEndpoint:
            break
        }
    }
}

extension VariantFacts {
    /// How many revisions that were promoted before can be gone back to.
    private static let keptEarlier = 10
    /// How many attempted revisions keep their graphs.
    private static let keptAttempts = 3

    mutating func begin(_ rollout: Rollout, with graph: RevisionGraph) {
        self.rollout = rollout
        self.attempted = graph.revision
        self.graphs.removeAll { $0.revision == graph.revision }
        self.graphs.append(graph)
        self.dropGraphs()
    }

    mutating func promote(_ revision: Revision) {
        if let promoted = self.promoted, promoted != revision { self.earlier.append(promoted) }
        self.earlier.removeAll { $0 == revision }
        self.earlier = self.earlier.suffix(VariantFacts.keptEarlier)
        self.promoted = revision
        self.rollout = nil
        self.dropGraphs()
    }

    private mutating func dropGraphs() {
        let named = Set(self.earlier + [self.promoted, self.attempted].compactMap(\.self))
        let attempts = Set(self.graphs.map(\.revision).suffix(VariantFacts.keptAttempts))
        self.graphs.removeAll { !named.contains($0.revision) && !attempts.contains($0.revision) }
    }
}

extension RuntimeObservation {
    mutating func assume(_ action: StepAction) {
        switch action {
        case .load(let instance):
            self.instances[instance.key] = InstanceObservation(
                state: .ready,
                memoryBytes: self.instances[instance.key]?.memoryBytes ?? 0,
                copies: instance.copies
            )
        case .unload(let instance):
            self.instances[instance] = nil
        case .start(let graph, let replicas):
            self.runners[RunnerKey(graph.variant, graph.revision)] = RunnerObservation(
                state: graph.hasWarmUps ? .started : .ready,
                replicas: replicas
            )
        case .warmUp(let runner):
            self.runners[runner]?.state = .ready
        case .scale(let runner, let replicas):
            self.runners[runner]?.replicas = replicas
            if replicas > 0 { self.runners[runner]?.waiting = 0 }
        case .drain(let runner, _):
            self.runners[runner]?.state = .drained
            self.runners[runner]?.inFlight = 0
        case .stop(let runner):
            self.runners[runner] = nil
        case .setTraffic(let variant, let shares):
            self.traffic[variant] = shares.isEmpty ? nil : shares
        case .applySettings(let endpoint, let settings):
            self.settings[endpoint] = settings.revision
        case .removeEndpoint(let endpoint):
            // The plan takes the traffic of tenants' variants away by steps of their own.
            self.settings[endpoint] = nil
            self.traffic[VariantID(defaultOf: endpoint)] = nil
        case .probe, .beginRollout, .promote, .advanceRollout, .hold, .liftHold, .forget:
            break
        }
    }
}

extension ProbeReport {
    /// Stands in for a probe that was not made: what is known of the memory, and nothing else.
    init(assumedFor instance: InstanceSpec) {
        let bytes = instance.declaredMemory ?? instance.artifact?.size ?? 0
        self.init(
            description: ModelDescription(
                architecture: "",
                weightBytes: bytes,
                sessionBytes: 0,
                generates: true
            ),
            measuredBytes: bytes,
            seconds: 0
        )
    }
}
