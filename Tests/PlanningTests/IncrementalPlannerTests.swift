import Planning
import Schema
import TestSupport
import Testing

/// The incremental planner against the one that looks at everything, over random histories; a failure names the seed.
@Suite("Incremental planning")
struct IncrementalPlannerTests {
    /// What differs between two states, found by looking at all of both.
    private static func changes(from old: PlanSimulator, to new: PlanSimulator) -> StateChanges {
        var changes = StateChanges()
        func differing<Key: Hashable, Value: Equatable>(_ old: [Key: Value], _ new: [Key: Value]) -> Set<Key> {
            Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
        }
        let (before, after) = (old.observed, new.observed)
        changes.isEverything =
            before.facts.suspensions != after.facts.suspensions || before.engines != after.engines
            || before.memoryBudget != after.memoryBudget
        changes.endpoints = differing(old.desired.settings, new.desired.settings)
            .union(differing(old.desired.blocked, new.desired.blocked))
            .union(old.desired.retained.symmetricDifference(new.desired.retained))
            .union(differing(before.runtime.settings, after.runtime.settings))
        changes.variants = differing(old.desired.variants, new.desired.variants)
            .union(differing(before.facts.variants, after.facts.variants))
            .union(differing(before.runtime.traffic, after.runtime.traffic))
            .union(differing(before.scaling, after.scaling))
            .union(Set(before.facts.holds).symmetricDifference(after.facts.holds).map(\.variant))
        changes.runners = differing(before.runtime.runners, after.runtime.runners)
        changes.instances = differing(before.runtime.instances, after.runtime.instances)
            .union(differing(before.facts.probes, after.facts.probes))
            .union(before.facts.crashed.symmetricDifference(after.facts.crashed))
        return changes
    }

    private static func world(_ names: [String]) -> PlanWorld {
        let models = [["small"], ["small", "large"], ["other"], ["other", "small"], ["large"]]
        let services = names.enumerated().map { index, name in
            (name, PlanWorld.Service(models: models[index % models.count]))
        }
        var world = PlanWorld(
            models: ["small": 1, "large": 1, "other": 1],
            services: Dictionary(uniqueKeysWithValues: services)
        )
        world.withoutWarmUp = ["other"]
        world.lazy = ["large"]
        return world
    }

    private static func sorted(_ waits: [PlanWait]) -> [PlanWait] {
        waits.sorted { ("\($0.subject)", $0.reason, $0.word) < ("\($1.subject)", $1.reason, $1.word) }
    }

    /// Takes a history along with both planners, and records where they differ.
    private static func compare(seed: UInt64, turns: Int, memoryBudget: Int64? = nil) {
        // Four that the simulator commits to, and some that stand still.
        let names = ["one", "two", "three", "four", "still-a", "still-b", "still-c"]
        var simulator = PlanSimulator(world: self.world(names), memoryBudget: memoryBudget, seed: seed)
        if memoryBudget != nil {
            simulator.commit { world in
                world.declaredMemory = ["small": 100, "large": 300, "other": 200]
                for name in ["one", "two"] { world.services[name]?.swap = true }
            }
        }
        var (planner, last) = (IncrementalPlanner(), simulator)
        for turn in 0..<turns {
            let update = planner.plan(
                desired: simulator.desired,
                observed: simulator.observed,
                changes: self.changes(from: last, to: simulator),
                now: simulator.now
            )
            let whole = simulator.plan()
            let isSame =
                update.plan.steps == whole.steps
                && self.sorted(planner.waits(with: update)) == self.sorted(whole.waits)
            guard isSame else {
                let (steps, expected) = (update.plan.steps.map(\.action.key), whole.steps.map(\.action.key))
                Issue.record("seed \(seed), turn \(turn): \(steps) instead of \(expected)")
                return
            }
            last = simulator
            do { try simulator.takeTurn() } catch { Issue.record("seed \(seed): \(error)") }
        }
    }

    @Test("At every state of every history the plan is the one for everything")
    func equalsTheWholePlan() {
        for seed in 0..<120 as Range<UInt64> { Self.compare(seed: seed, turns: 50) }
    }

    @Test("The same where memory is bounded")
    func equalsTheWholePlanWithLittleMemory() {
        for seed in 70_000..<70_080 as Range<UInt64> { Self.compare(seed: seed, turns: 50, memoryBudget: 600) }
    }

    @Test("A change of one endpoint looks at no other")
    func looksAtWhatChanged() throws {
        var simulator = PlanSimulator(
            world: Self.world((0..<50).map { "endpoint-\($0)" }),
            seed: 1
        )
        try simulator.converge()
        var planner = IncrementalPlanner()
        func update(_ changes: StateChanges) -> IncrementalPlanner.Update {
            planner.plan(
                desired: simulator.desired,
                observed: simulator.observed,
                changes: changes,
                now: simulator.now
            )
        }
        #expect(update(.everything).endpoints == nil)
        #expect(planner.open == [])
        #expect(update(StateChanges()).endpoints == [])
        let before = simulator
        simulator.commit { $0.services["endpoint-7"]?.promptVersion = 2 }
        let changed = update(Self.changes(from: before, to: simulator))
        #expect(changed.endpoints == [PlanWorld.variant("endpoint-7").resource])
        #expect(changed.plan.steps.count == simulator.plan().steps.count && !changed.plan.steps.isEmpty)
        #expect(planner.open == changed.endpoints)
    }

    @Test("Endpoints that wait for their turn are not looked at again")
    func leavesWaitingEndpointsAlone() {
        var simulator = PlanSimulator(world: Self.world((0..<50).map { "endpoint-\($0)" }), seed: 1)
        var planner = IncrementalPlanner()
        func update(_ changes: StateChanges) -> IncrementalPlanner.Update {
            planner.plan(desired: simulator.desired, observed: simulator.observed, changes: changes, now: simulator.now)
        }
        let before = simulator
        for step in update(.everything).plan.steps {
            switch step.action {
            case .beginRollout, .applySettings:
                simulator.observed = simulator.observed.applying(step, at: simulator.now)
            default:
                break
            }
        }
        _ = update(Self.changes(from: before, to: simulator))
        let idle = update(StateChanges())
        #expect(idle.endpoints == [])
        #expect(planner.openCount == 50)
        #expect(idle.plan == simulator.plan())
        let running = simulator
        simulator.observed.runtime.runners[RunnerKey(PlanWorld.variant("endpoint-7"), Revision(Digest(of: [])))] =
            RunnerObservation(state: .ready, replicas: 1)
        let changed = update(Self.changes(from: running, to: simulator))
        #expect(changed.endpoints == [PlanWorld.variant("endpoint-7").resource])
        #expect(changed.plan == simulator.plan())
    }

    @Test("Whoever shares an instance that is to have more copies is looked at too")
    func looksAtSharers() throws {
        var simulator = PlanSimulator(world: Self.world(["a", "b", "c", "d", "e", "f"]), seed: 1)
        try simulator.converge()
        var planner = IncrementalPlanner()
        _ = planner.plan(
            desired: simulator.desired,
            observed: simulator.observed,
            changes: .everything,
            now: simulator.now
        )
        let last = PlanWorld.variant("f")
        var graph = try #require(simulator.desired.variants[last])
        for index in graph.models.indices { graph.models[index].instance.copies = 3 }
        graph.revision = Revision(Digest(of: "more copies".utf8))
        simulator.desired.variants[last] = graph
        var changes = StateChanges()
        changes.variants = [last]
        let update = planner.plan(
            desired: simulator.desired,
            observed: simulator.observed,
            changes: changes,
            now: simulator.now
        )
        #expect(update.plan.steps == simulator.plan().steps)
        #expect((update.endpoints ?? []).count > 1)
    }
}
