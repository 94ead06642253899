package import Planning
package import Schema

/// Plays the part of a controller and its runtime, at random but repeatably, and checks every step it performs.
package struct PlanSimulator: Sendable {
    /// A step that broke a promise of the planner.
    package struct Violation: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    package var world: PlanWorld
    package var desired: DesiredState
    package var observed: ObservedState
    package var now = Timestamp(milliseconds: 1_000_000)
    package var random: SeededRandom

    package init(world: PlanWorld, memoryBudget: Int64? = nil, seed: UInt64) {
        self.world = world
        self.desired = world.desired()
        self.observed = ObservedState(memoryBudget: memoryBudget, engines: ["replay"])
        self.random = SeededRandom(seed: seed)
    }

    package func plan() -> Plan {
        Planner.plan(desired: self.desired, observed: self.observed, now: self.now)
    }

    /// Performs every step of a plan, each as soon as a throw of the dice allows once its predecessors are done.
    package mutating func performInRandomOrder(_ plan: Plan) throws {
        var isDone = Array(repeating: false, count: plan.steps.count)
        while true {
            let open = plan.steps.indices.filter { index in
                !isDone[index] && plan.steps[index].after.allSatisfy { isDone[$0] }
            }
            if open.isEmpty { break }
            let index = self.random.pick(open)
            try self.perform(plan.steps[index])
            isDone[index] = true
        }
        guard isDone.allSatisfy({ $0 }) else { throw Violation(description: "steps wait for each other in a circle") }
    }

    /// Plans and performs until the plan has no steps. Throws when that takes more than `limit` plans.
    package mutating func converge(limit: Int = 20) throws {
        for _ in 0..<limit {
            let plan = self.plan()
            if plan.steps.isEmpty { return }
            try self.performInRandomOrder(plan)
        }
        let steps = self.plan().steps.map(\.action.key.description)
        throw Violation(description: "still not converged after \(limit) plans: \(steps)")
    }

    /// Performs a step that succeeds, after checking that it may be done now.
    package mutating func perform(_ step: PlanStep) throws {
        try self.check(step.action)
        self.observed = self.observed.applying(step, at: self.now)
    }

    // MARK: - Trouble

    /// The whole process ends and starts again: what was written down is all that is left.
    package mutating func crash(whileLoading instance: InstanceKey? = nil) {
        self.observed.runtime = RuntimeObservation()
        self.observed.failures = [:]
        self.observed.scaling = [:]
        if let instance { self.observed.facts.crashed.insert(instance) }
    }

    /// A step fails, and may be tried again a second later.
    package mutating func fail(_ action: StepAction, _ code: String, _ disposition: MartletError.Disposition) {
        let earlier = self.observed.failures[action.key]
        self.observed.failures[action.key] = StepFailure(
            attempts: (earlier?.attempts ?? 0) + 1,
            code: code,
            message: "it failed",
            disposition: disposition,
            firstAt: earlier?.firstAt ?? self.now,
            retryAt: self.now.advanced(byMilliseconds: 1000)
        )
        if case .warmUp(let runner) = action { self.observed.runtime.runners[runner]?.state = .failed }
    }

    /// Moves the time on to the next moment that the plan waits for.
    package mutating func waitForPlan() {
        if let until = self.plan().waits.compactMap(\.until).min() { self.now = max(self.now, until) }
    }

    package mutating func commit(_ change: (inout PlanWorld) -> Void) {
        change(&self.world)
        self.world.commitNumber += 1
        let before = self.desired.variants
        self.desired = self.world.desired()
        // What is read names the commit that a revision came with.
        for (variant, graph) in before where self.desired.variants[variant]?.revision == graph.revision {
            self.desired.variants[variant] = graph
        }
    }
}
