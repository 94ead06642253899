import Planning
import Schema
import TestSupport
import Testing

/// Invariants of the planner over thousands of random states; a failure names the seed that repeats it.
@Suite("Planner properties")
struct PlannerPropertyTests {
    private static func world() -> PlanWorld {
        var world = PlanWorld(
            models: ["small": 1, "large": 1, "other": 1],
            services: [
                "one": .init(models: ["small"]),
                "two": .init(models: ["small", "large"]),
                "three": .init(models: ["other"]),
            ]
        )
        world.withoutWarmUp = ["other"]
        world.lazy = ["large"]
        return world
    }

    /// Runs a random history of commits, crashes, failures and people's decisions; `body` sees every state.
    private static func history(
        seed: UInt64,
        turns: Int = 40,
        memoryBudget: Int64? = nil,
        _ body: (PlanSimulator) throws -> Void = { _ in }
    ) throws -> PlanSimulator {
        var simulator = PlanSimulator(world: self.world(), memoryBudget: memoryBudget, seed: seed)
        if memoryBudget != nil {
            simulator.commit { world in
                world.declaredMemory = ["small": 100, "large": 300, "other": 200]
                world.services["one"]?.swap = true
                world.services["two"]?.swap = true
            }
        }
        for _ in 0..<turns {
            try simulator.takeTurn()
            try body(simulator)
        }
        return simulator
    }

    /// Runs `body` for many seeds, and reports which one a violation needs.
    private static func forSeeds(_ seeds: Range<UInt64>, _ body: (UInt64) throws -> Void) {
        for seed in seeds {
            do {
                try body(seed)
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    @Test("Whatever happens, no step breaks a dependency, and calm brings the newest commit or a named hold")
    func endsWell() {
        Self.forSeeds(0..<400) { seed in
            var simulator = try Self.history(seed: seed)
            try simulator.calmDown()
            try simulator.checkEnd()
        }
    }

    @Test("The same with more models than fit into memory: the budget holds at every step")
    func endsWellWithLittleMemory() {
        Self.forSeeds(50_000..<50_300) { seed in
            var simulator = try Self.history(seed: seed, memoryBudget: 600)
            try simulator.calmDown()
            try simulator.checkEnd()
        }
    }

    @Test("Performing a plan's steps, in any order that respects them, leaves a plan with none")
    func onePlanIsEnough() {
        Self.forSeeds(100_000..<100_100) { seed in
            _ = try Self.history(seed: seed, turns: 25) { state in
                var state = state
                try state.performInRandomOrder(state.plan())
                let rest = state.plan().steps.map(\.action.key.description)
                if !rest.isEmpty { throw PlanSimulator.Violation(description: "left over: \(rest)") }
            }
        }
    }

    @Test("Doing a step twice equals doing it once")
    func twiceEqualsOnce() {
        Self.forSeeds(200_000..<200_050) { seed in
            _ = try Self.history(seed: seed, turns: 25) { state in
                for step in state.plan().steps {
                    let once = state.observed.applying(step, at: state.now)
                    guard once.applying(step, at: state.now) == once else {
                        throw PlanSimulator.Violation(description: "\(step.action.key) is not idempotent")
                    }
                }
            }
        }
    }

    @Test("The same states give the same plan, however their dictionaries came to be")
    func isDeterministic() {
        Self.forSeeds(300_000..<300_050) { seed in
            _ = try Self.history(seed: seed, turns: 25) { state in
                var other = state
                other.desired.variants = .init(uniqueKeysWithValues: state.desired.variants.sorted { $0.key > $1.key })
                let runtime = state.observed.runtime
                other.observed.runtime.runners = [:]
                for (key, value) in runtime.runners.sorted(by: { $0.key > $1.key }) {
                    other.observed.runtime.runners[key] = value
                }
                other.observed.runtime.instances.reserveCapacity(1000)
                other.observed.facts.variants.reserveCapacity(1000)
                guard other.plan() == state.plan() else {
                    throw PlanSimulator.Violation(description: "two plans for one state")
                }
            }
        }
    }

    @Test("Steps grow with the number of endpoints, and shared models are loaded once", arguments: [10, 100, 1000])
    func growsLinearly(count: Int) throws {
        var world = PlanWorld(models: ["small": 1], services: [:])
        for index in 0..<count { world.services["endpoint-\(index)"] = PlanWorld.Service(models: ["small"]) }
        let simulator = PlanSimulator(world: world, seed: 0)
        let plan = simulator.plan()
        // Settings, begin, start, warm-up, traffic and promotion for each; one probe and one load.
        #expect(plan.steps.count == 6 * count + 2)
        #expect(plan.steps.allSatisfy { $0.after.count <= 3 })
        #expect(simulator.observed.applying(plan, at: simulator.now) != simulator.observed)
        let converged = ObservedState.converged(to: simulator.desired)
        #expect(Planner.plan(desired: simulator.desired, observed: converged, now: simulator.now).steps.isEmpty)
    }
}
