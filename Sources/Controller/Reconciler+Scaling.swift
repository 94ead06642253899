internal import Planning
internal import Schema

/// What follows from how much there is to do: the numbers come from autoscalers, the steps from the plan.
extension Reconciler {
    /// How often variants with replicas are looked at; those without tell by themselves when somebody asks.
    private static let lookInterval = Duration.seconds(1)

    /// What the loop knows of replicas whose number depends on how much there is to do.
    struct Scaling: Sendable {
        /// A step that changes the number of replicas, as it began.
        struct Step: Sendable {
            var from: Int
            var reason: String
        }

        var autoscalers: [VariantID: Autoscaler] = [:]
        /// Whether a look at how much there is to do is planned.
        var isLooking = false
        /// Steps under way.
        var steps: [StepKey: Step] = [:]
    }

    /// Has an autoscaler for every variant whose manifest wants one, and none for others; wakes those without replicas
    /// that requests wait for.
    func noteScaled(_ desired: DesiredState, _ found: RuntimeChanges) {
        var variants = self.changes.variants
        if self.changes.isEverything {
            variants = Set(desired.variants.keys).union(self.facts.variants.keys).union(self.scaling.autoscalers.keys)
        } else {
            variants.formUnion(self.changes.endpoints.flatMap { self.planner.index.variants(of: $0) })
        }
        for variant in variants {
            guard let policy = self.scalingPolicy(of: variant, desired) else {
                if self.scaling.autoscalers.removeValue(forKey: variant) != nil { self.setScaling(nil, of: variant) }
                continue
            }
            if self.scaling.autoscalers[variant] == nil {
                let autoscaler = Autoscaler(policy, replicas: self.replicas(of: variant))
                self.scaling.autoscalers[variant] = autoscaler
                self.setScaling(autoscaler.decision, of: variant)
            }
        }
        for case (let key, let runner?) in found.runners where runner.waiting > 0 {
            self.take(RequestDemand(steadily: runner.waiting), of: key.variant, desired)
        }
    }

    /// Takes in how much there is to do; returns whether that changes anything.
    func take(_ demands: [VariantID: RequestDemand]) -> Bool {
        self.scaling.isLooking = false
        guard let desired = self.desired ?? self.remembered else { return false }
        var hasNews = false
        for (variant, demand) in demands where self.take(demand, of: variant, desired) { hasNews = true }
        return hasNews
    }

    @discardableResult
    private func take(_ demand: RequestDemand, of variant: VariantID, _ desired: DesiredState) -> Bool {
        guard let policy = self.scalingPolicy(of: variant, desired) else { return false }
        let decision = self.scaling.autoscalers[variant]?.receive(demand, under: policy, at: self.clockWatch.now)
        if let decision { self.setScaling(decision, of: variant) }
        return decision != nil
    }

    private func setScaling(_ decision: ScalingDecision?, of variant: VariantID) {
        self.observed.scaling[variant] = decision
        self.metrics.wantedReplicas[variant] = decision?.replicas
        self.changes.variants.insert(variant)
    }

    /// What the manifest says of a variant's replicas, where the number depends on how much there is to do.
    private func scalingPolicy(of variant: VariantID, _ desired: DesiredState) -> EndpointSpec.Replicas? {
        let facts = self.facts.variants[variant]
        guard desired.variants[variant] != nil || facts?.promoted != nil else { return nil }
        let main = VariantID(defaultOf: variant.resource)
        let settings = desired.settings[variant.resource] ?? self.facts.variants[main]?.settings
        guard let policy = settings?.replicas, !policy.isFixed else { return nil }
        return policy
    }

    /// How many replicas take a variant's requests; nil where nobody does.
    private func replicas(of variant: VariantID) -> Int? {
        let shares = self.observation.traffic[variant] ?? []
        return shares.compactMap { self.observation.runners[RunnerKey(variant, $0.revision)]?.replicas }.max()
    }

    /// Plans the next look, if anybody has replicas to be looked at and none is planned.
    func scheduleLook(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        guard !self.scaling.isLooking, !self.scaling.autoscalers.isEmpty else { return }
        let variants = Set(self.scaling.autoscalers.filter { $0.value.decision.replicas > 0 }.keys)
        guard !variants.isEmpty else { return }
        self.scaling.isLooking = true
        let (clock, runtime, mailbox) = (self.ports.clock, self.ports.runtime, self.mailbox)
        group.addTask {
            // Cancelled: the loop has ended.
            guard (try? await clock.sleep(for: Self.lookInterval)) != nil else { return }
            mailbox.post(.demand(await runtime.demand(of: variants)))
        }
    }

    // MARK: Events

    /// Remembers what a step that changes the number of replicas began with.
    func noteBeginning(of step: PlanStep) {
        guard case .scale(let runner, _) = step.action else { return }
        let from = self.observation.runners[runner]?.replicas ?? 0
        self.scaling.steps[step.action.key] = Scaling.Step(from: from, reason: step.reason)
    }

    /// Tells of a step that has changed the number of replicas, with the numbers that it goes back to.
    func noteScaling(_ action: StepAction, hasSucceeded: Bool) {
        guard case .scale(let runner, let replicas) = action,
            let step = self.scaling.steps.removeValue(forKey: action.key), hasSucceeded, step.from != replicas
        else { return }
        self.note(
            .normal,
            replicas > step.from ? "ScaledUp" : "ScaledDown",
            "\(runner.variant) from \(step.from) to \(ScalingDecision.words(replicas)): \(step.reason)",
            variant: runner.variant,
            revision: runner.revision
        )
    }
}
