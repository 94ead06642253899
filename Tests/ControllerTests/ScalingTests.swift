import Controller
import Planning
import Schema
import Synchronization
import TestSupport
import Testing

/// Replicas follow from how much there is to do, with manual clocks.
@Suite(.timeLimit(.minutes(1)))
struct ScalingTests {
    private static func setup(_ replicas: String) throws -> ControllerSetup {
        let setup = try ControllerSetup()
        try setup.commitDesk(replicas: replicas)
        return setup
    }

    /// Lets the looks of so many seconds come.
    private static func look(_ setup: ControllerSetup, seconds: Int) async {
        for _ in 0..<seconds {
            await setup.clock.wait { $0.contains(.seconds(1)) }
            setup.clock.advance(by: .seconds(1))
        }
        await setup.clock.wait { $0.contains(.seconds(1)) }
    }

    private static func setRequests(_ count: Int, _ setup: ControllerSetup) {
        setup.runtime.changeUnnoticed { runtime in
            for key in runtime.runners.keys { runtime.runners[key]?.inFlight = count }
        }
    }

    private static func desk(_ setup: ControllerSetup) async throws -> VariantView {
        let view = try await setup.reconciler.resource(ControllerSetup.endpoint("desk"))
        return try #require(view.variants.first)
    }

    @Test func moreRequestsMakeMoreReplicas() async throws {
        let setup = try Self.setup("{min: 1, max: 4, scaleUpDelay: 3s, scaleDownDelay: 10s}")
        try await setup.run { setup in
            try await setup.event("Converged")
            Self.setRequests(12, setup)
            await Self.look(setup, seconds: 3)
            #expect(setup.runtime.observation.runners.values.map(\.replicas) == [1])
            await Self.look(setup, seconds: 1)
            let up = try await setup.event("ScaledUp")
            #expect(
                up.message == "default/desk from 1 to 3 replicas: 12 requests at once for 3s, 4 per replica: 3 replicas"
            )
            let desk = try await Self.desk(setup)
            #expect(desk.replicas == 3 && desk.wantedReplicas == 3)
            #expect(await setup.reconciler.metrics.wantedReplicas == [ControllerSetup.desk: 3])
            Self.setRequests(1, setup)
            await Self.look(setup, seconds: 11)
            let down = try await setup.event("ScaledDown")
            #expect(
                down.message.hasSuffix(
                    "from 3 to 1 replica: at most 1 request at once in the last 10s, 4 per replica: 1 replica"
                )
            )
        }
    }

    @Test func aQuietEndpointSleepsAndARequestWakesIt() async throws {
        let setup = try Self.setup("{min: 0, max: 2, scaleDownDelay: 5s}")
        try await setup.run { setup in
            try await setup.event("Converged")
            #expect(setup.runtime.observation.runners.values.map(\.replicas) == [1])
            for _ in 0..<6 {
                await setup.clock.wait { $0.contains(.seconds(1)) }
                setup.clock.advance(by: .seconds(1))
            }
            try await setup.event("ScaledDown", "no request in the last 5s: 0 replicas")
            try await setup.settled()
            #expect(setup.runtime.observation.instances.isEmpty)
            let view = try await setup.reconciler.resource(ControllerSetup.endpoint("desk"))
            #expect(view.health == .healthy && view.sync == .synced)
            #expect(view.conditions.first { $0.type == .ready }?.reason == "ScaledToZero")
            #expect(try await setup.reconciler.status().health == .healthy)
            let model = try await setup.reconciler.resource(
                ResourceIdentity(.model, namespace: "default", name: "desk")
            )
            #expect(model.health == .healthy)

            setup.runtime.change { state in
                for key in state.observation.runners.keys { state.observation.runners[key]?.waiting = 6 }
            }
            let up = try await setup.event("ScaledUp")
            #expect(up.message.contains("from 0 to 2 replicas: 6 requests came while no replica ran, 4 per replica"))
            #expect(setup.runtime.calls.suffix(2) == ["load models/desk.jsonl", "scale default/desk"])
            try await setup.settled()
            #expect(try await setup.reconciler.resource(ControllerSetup.endpoint("desk")).health == .healthy)
        }
    }

    @Test func fixedReplicasAreNeverLookedAt() async throws {
        let setup = try Self.setup("{min: 2, max: 2}")
        try await setup.run { setup in
            try await setup.event("Converged")
            try await setup.settled()
            _ = try await setup.reconciler.status()
            #expect(await setup.reconciler.metrics.wantedReplicas.isEmpty)
            let sleeps = Mutex<[Duration]>([])
            await setup.clock.wait { remaining in
                sleeps.withLock { $0 = remaining }
                return true
            }
            #expect(!sleeps.withLock { $0.contains(.seconds(1)) })
        }
    }

    @Test func aNewRevisionStartsWithWhatThereIs() async throws {
        let replicas = "{min: 1, max: 4, scaleUpDelay: 1s, scaleDownDelay: 1h}"
        let setup = try Self.setup(replicas)
        try await setup.run { setup in
            try await setup.event("Converged")
            Self.setRequests(9, setup)
            await Self.look(setup, seconds: 2)
            try await setup.event("ScaledUp", "from 1 to 3 replicas")
            let seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two", replicas: replicas)
            try await setup.event("Promoted", after: seen)
            try await setup.settled()
            #expect(setup.runtime.observation.runners.values.map(\.replicas) == [3])
            let after = try setup.store.events(EventQuery(after: seen, limit: 1000)).map(\.reason)
            #expect(!after.contains("ScaledUp") && !after.contains("ScaledDown"))
        }
    }

    @Test func aFixComesThroughWhileTheLoadOfAColdStartHangs() async throws {
        let replicas = "{min: 0, max: 2, scaleDownDelay: 1s}"
        let setup = try Self.setup(replicas)
        try await setup.run { setup in
            try await setup.event("Converged")
            for _ in 0..<2 {
                await setup.clock.wait { $0.contains(.seconds(1)) }
                setup.clock.advance(by: .seconds(1))
            }
            try await setup.event("ScaledDown")
            try await setup.settled()
            setup.runtime.change { state in
                state.hangingLoads = ["models/desk.jsonl"]
                for key in state.observation.runners.keys { state.observation.runners[key]?.waiting = 1 }
            }
            await setup.runtime.waitForHangingLoad()
            setup.runtime.change { $0.hangingLoads = [] }
            let seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two", replicas: replicas)
            try await setup.event("Promoted", after: seen)
            try await setup.settled()
            #expect(setup.runtime.observation.runners.count == 1)
        }
    }
}
