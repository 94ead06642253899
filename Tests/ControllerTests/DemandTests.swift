import Controller
import Planning
import Schema
import TestSupport
import Testing

/// Lazy models, as the loop sees them: nothing is done for them before a request asks.
@Suite("Demand", .timeLimit(.minutes(1)))
struct DemandTests {
    private static let broken = MartletError("ModelUnreadable", "no such tensor")

    /// Brings up the endpoint with a lazy model, and says that a request waits for it.
    private static func demand(_ setup: ControllerSetup) async throws -> InstanceKey {
        try await setup.event("Converged")
        let facts = try setup.desk()
        let graph = try #require(facts.promoted.flatMap { facts.graph(of: $0) })
        let instance = try #require(graph.models.first?.instance)
        #expect(instance.isLazy)
        #expect(setup.runtime.calls.allSatisfy { !$0.hasPrefix("load") })
        setup.runtime.change {
            $0.observation.instances[instance.key] = InstanceObservation(state: .demanded, copies: 0)
        }
        return instance.key
    }

    @Test("A lazy model is promoted without being opened; the first request has it probed and loaded, with the mark")
    func loadsOnDemand() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk(lazy: true)
        try await setup.run { setup in
            #expect(try setup.store.facts().probes.isEmpty)
            let instance = try await Self.demand(setup)
            let event = try await setup.event("LoadedOnDemand", "desk")
            #expect(event.severity == .normal)
            #expect(setup.runtime.observation.instances[instance]?.state == .ready)
            #expect(try setup.store.facts().probes[instance] != nil)
            #expect(try setup.store.unfinishedLoads().isEmpty)
        }
    }

    @Test("People see what is in memory now, whatever the loop saw last, at the cost of what they ask for")
    func shows() async throws {
        let setup = try ControllerSetup()
        let more = (0..<5).map { number in
            ControllerSetup.manifest.replacing("name: desk", with: "name: other-\(number)")
                .replacing("model: desk", with: "model: other-\(number)")
                .replacing("source:", with: "version: '\(number)', options: {seed: \(number)}, source:")
        }
        try setup.commitDesk(extra: "---\n" + more.joined(separator: "---\n"), lazy: true)
        try await setup.run { setup in
            let instance = try await Self.demand(setup)
            try await setup.event("LoadedOnDemand")
            let lastUsed = Timestamp(milliseconds: 1_700_000_000_000)
            setup.runtime.change {
                $0.uses[instance] = InstanceUse(observation: nil, wasLoaded: true, lastUsed: lastUsed)
                $0.askedUses = []
            }
            let models = try await setup.reconciler.resources(
                ResourceQuery(kind: .model, namespace: nil, limit: 2, after: nil)
            ).resources
            #expect(
                models.map { "\($0.name) \($0.instance?.state.rawValue ?? "")" } == [
                    "desk evicted", "other-0 unloaded",
                ]
            )
            #expect(models.first?.instance?.lastUsed == lastUsed)
            #expect(setup.runtime.askedUses.map(\.count) == [2])
            let desk = try await setup.reconciler.resource(
                ResourceIdentity(.model, namespace: "default", name: "desk")
            )
            #expect(desk.instance == models.first?.instance)
            _ = try await setup.reconciler.resources(
                ResourceQuery(kind: .endpoint, namespace: nil, limit: 10, after: nil)
            )
            #expect(setup.runtime.askedUses.map(\.count) == [2, 1])
        }
    }

    @Test("Requests are told why a first load failed; it is tried again, and the endpoint keeps its revision")
    func tellsWhy() async throws {
        let setup = try ControllerSetup(waitsAreOver: true)
        setup.runtime.change { $0.loadErrors = ["models/desk.jsonl": [Self.broken, Self.broken]] }
        try setup.commitDesk(lazy: true)
        try await setup.run { setup in
            let instance = try await Self.demand(setup)
            try await setup.event("ModelUnreadable")
            try await setup.event("LoadedOnDemand")
            #expect(setup.runtime.refusals[instance]?.contains { $0.contains("no such tensor") } == true)
            #expect(try setup.store.facts().holds.isEmpty)
            #expect(try setup.desk().promoted != nil)
        }
    }

    @Test("One that took the process down holds no room for requests: its endpoint says so, and a person decides")
    func remembersCrashes() async throws {
        let earlier = try ControllerSetup()
        try earlier.commitDesk(lazy: true)
        try await earlier.run { _ = try await Self.demand($0) }
        let facts = try earlier.desk()
        let instance = try #require(facts.promoted.flatMap { facts.graph(of: $0) }?.models.first?.instance)
        try earlier.store.write([.beginLoading(instance.key)])
        let setup = try ControllerSetup(restarting: earlier)
        try await setup.run { setup in
            try await setup.event("CrashedWhileLoading", "it is not loaded again until 'martlet retry' says so")
            #expect(setup.runtime.calls.allSatisfy { !$0.hasPrefix("load") })
        }
    }
}
