package import Planning
internal import Schema

extension PlanSimulator {
    /// Throws when an action would break a dependency in the state as it is.
    package func check(_ action: StepAction) throws {
        if let broken = self.brokenPromise(action) {
            throw Violation(description: "\(action.key): \(broken)")
        }
    }

    private func brokenPromise(_ action: StepAction) -> String? {
        let runtime = self.observed.runtime
        switch action {
        case .load(let instance):
            return self.brokenPromise(load: instance)
        case .start(let graph, _):
            return self.allReady(graph) ? nil : "an instance is not ready"
        case .warmUp(let runner):
            guard runtime.runners[runner]?.state == .started else { return "the runner was not started" }
            return self.graph(of: runner).map(self.allReady) ?? true ? nil : "an instance is not ready"
        case .setTraffic, .promote, .drain, .stop:
            return self.brokenPromise(aboutTraffic: action)
        case .unload(let instance):
            let lessee = runtime.runners.keys.sorted().first { runner in
                runtime.runners[runner]?.replicas != 0
                    && self.graph(of: runner)?.models.contains { $0.instance.key == instance } ?? false
            }
            return lessee.map { "\($0) leases it" }
        case .beginRollout(let graph, _):
            let isHeld = self.observed.facts.holds.contains {
                $0.variant == graph.variant && $0.revision == graph.revision
            }
            return isHeld ? "the revision is held" : nil
        case .hold(let hold):
            let promoted = self.observed.facts.variants[hold.variant]?.promoted
            return hold.revision == promoted ? "the promoted revision must not be held" : nil
        case .forget(let variant):
            let runs = runtime.runners.keys.contains { $0.variant == variant }
            return runs || runtime.traffic[variant] != nil ? "it still runs" : nil
        case .probe(let instance):
            return self.observed.facts.probes[instance.key] == nil ? nil : "it was probed before"
        case .scale(let runner, let replicas):
            return self.brokenPromise(scale: runner, to: replicas)
        case .advanceRollout, .liftHold, .applySettings, .removeEndpoint:
            return nil
        }
    }

    private func brokenPromise(scale key: RunnerKey, to replicas: Int) -> String? {
        guard let runner = self.observed.runtime.runners[key] else { return "nothing to scale" }
        let promoted = self.observed.facts.variants[key.variant]?.promoted
        if replicas == 0 { return key.revision == promoted ? nil : "it has not shown that it can answer" }
        guard replicas > runner.replicas else { return nil }
        return self.graph(of: key).map(self.allReady) ?? true ? nil : "an instance is not ready"
    }

    private func brokenPromise(aboutTraffic action: StepAction) -> String? {
        let runtime = self.observed.runtime
        if case .setTraffic(let variant, let shares) = action {
            let total = shares.reduce(0) { $0 + $1.weight }
            if shares.isEmpty { return self.mayGoSilent(variant) ? nil : "nobody would answer any more" }
            guard total == 100 else { return "the shares add up to \(total)" }
            let isReady = shares.allSatisfy { runtime.runners[RunnerKey(variant, $0.revision)]?.state == .ready }
            return isReady ? nil : "traffic to a runner that is not warmed up"
        }
        if case .promote(let runner) = action {
            let shares = runtime.traffic[runner.variant]
            return shares == [TrafficShare(revision: runner.revision, weight: 100)] ? nil : "it has not all the traffic"
        }
        if case .drain(let runner, _) = action, self.hasTraffic(runner) { return "it still has traffic" }
        if case .stop(let runner) = action {
            if self.hasTraffic(runner) { return "it still has traffic" }
            let state = runtime.runners[runner]?.state
            return state == .ready || state == .draining ? "it is not drained" : nil
        }
        return nil
    }

    /// Only what leaves, was never promoted, or says that it accepts a gap may stop answering.
    private func mayGoSilent(_ variant: VariantID) -> Bool {
        let isWanted = self.desired.variants[variant] != nil || self.desired.blocked[variant.resource] != nil
        let swaps = self.desired.settings[variant.resource]?.rollout.swap ?? false
        return !isWanted || swaps || self.observed.facts.variants[variant]?.promoted == nil
    }

    private func brokenPromise(load instance: InstanceSpec) -> String? {
        let facts = self.observed.facts
        if facts.crashed.contains(instance.key) { return "it took the process down before" }
        let isTrusted = facts.variants.values.contains { facts in
            let trusted = Set(facts.earlier + [facts.promoted].compactMap(\.self))
            return facts.graphs.contains { graph in
                trusted.contains(graph.revision) && graph.models.contains { $0.instance.key == instance.key }
            }
        }
        if facts.probes[instance.key] == nil, !isTrusted { return "it was not probed" }
        guard let budget = self.observed.memoryBudget else { return nil }
        // Lazy ones make room by themselves.
        if instance.isLazy { return nil }
        let pinned = self.observed.runtime.instances.keys.filter { !self.isLazy($0) }
        var loaded = pinned.reduce(into: Int64(0)) { $0 += self.memory(of: $1) }
        if self.observed.runtime.instances[instance.key] == nil { loaded += self.memory(of: instance.key) }
        return loaded > budget ? "\(loaded) of \(budget) bytes would be taken" : nil
    }

    /// What the probe said, or the manifest where that says more.
    private func memory(of instance: InstanceKey) -> Int64 {
        self.observed.facts.probes[instance]?.measuredBytes ?? 0
    }

    private func allReady(_ graph: RevisionGraph) -> Bool {
        graph.models.map(\.instance).allSatisfy { instance in
            instance.isLazy || self.observed.runtime.instances[instance.key]?.state == .ready
        }
    }

    /// Whether every graph that is known has the instance loaded by requests.
    func isLazy(_ instance: InstanceKey) -> Bool {
        let graphs = self.observed.facts.variants.values.flatMap(\.graphs) + self.desired.variants.values
        let specs = graphs.flatMap(\.models).map(\.instance).filter { $0.key == instance }
        return !specs.isEmpty && specs.allSatisfy(\.isLazy)
    }

    private func hasTraffic(_ runner: RunnerKey) -> Bool {
        self.observed.runtime.traffic[runner.variant]?.contains { $0.revision == runner.revision } ?? false
    }

    func graph(of runner: RunnerKey) -> RevisionGraph? {
        let desired = self.desired.variants[runner.variant]
        if desired?.revision == runner.revision { return desired }
        return self.observed.facts.variants[runner.variant]?.graph(of: runner.revision)
    }

    /// Throws unless every variant is at the newest desired revision, or at a named hold on it; unless what was
    /// promoted answers; and unless nothing runs that nobody wants.
    package func checkEnd() throws {
        for (variant, graph) in self.desired.variants.sorted(by: { $0.key < $1.key }) {
            let facts = self.observed.facts.variants[variant]
            let holds = self.observed.facts.holds.filter { $0.variant == variant && $0.revision == graph.revision }
            let isWaiting = self.plan().waits.contains { $0.subject == variant.resource && $0.until == nil }
            guard facts?.promoted == graph.revision || !holds.isEmpty || isWaiting else {
                throw Violation(description: "\(variant) is neither at \(graph.revision) nor held nor waiting")
            }
            guard holds.allSatisfy({ !$0.reason.isEmpty && !$0.message.isEmpty }) else {
                throw Violation(description: "a hold of \(variant) has no name")
            }
            try self.checkAnswers(variant, facts)
        }
        let wanted = Set(
            self.observed.runtime.traffic.flatMap { traffic in
                traffic.value.map { RunnerKey(traffic.key, $0.revision) }
            }
        )
        for runner in self.observed.runtime.runners.keys where !wanted.contains(runner) {
            throw Violation(description: "\(runner) runs for nobody")
        }
    }

    private func checkAnswers(_ variant: VariantID, _ facts: VariantFacts?) throws {
        guard let promoted = facts?.promoted, let graph = facts?.graph(of: promoted) else { return }
        if graph.models.contains(where: { self.observed.facts.crashed.contains($0.instance.key) }) { return }
        let shares = self.observed.runtime.traffic[variant] ?? []
        guard shares.map(\.revision) == [promoted] else {
            if self.observed.memoryBudget != nil { return }
            throw Violation(description: "\(variant) has promoted \(promoted), but traffic goes to \(shares)")
        }
        let runner = self.observed.runtime.runners[RunnerKey(variant, promoted)]
        guard runner?.state == .ready, runner?.replicas == 0 || self.allReady(graph) else {
            throw Violation(description: "\(variant) does not answer with \(promoted)")
        }
        guard let replicas = self.desired.settings[variant.resource]?.replicas else { return }
        let wanted = replicas.wanted(self.observed.scaling[variant]).replicas
        guard runner?.replicas != wanted, self.desired.blocked[variant.resource] == nil else { return }
        throw Violation(description: "\(variant) has \(runner?.replicas ?? 0) replicas, not \(wanted)")
    }
}
