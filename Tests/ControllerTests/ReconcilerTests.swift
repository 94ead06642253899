import Controller
import Foundation
import Planning
import Schema
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ReconcilerTests {
    private static let terminal = MartletError("ModelUnreadable", "no such tensor")
    private static let retryable = MartletError("DiskBusy", "the disk is busy", disposition: .retryable)

    @Test func commitIsPromoted() async throws {
        let setup = try ControllerSetup()
        let commit = try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let facts = try setup.desk()
            #expect(facts.promoted != nil)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == facts.promoted)
            let status = try await setup.reconciler.status()
            #expect(status.sync == .synced)
            #expect(status.health == .healthy)
            #expect(status.source.commit?.id == commit)
            #expect(try setup.store.commits(limit: 1).first?.convergedAt != nil)
        }
    }

    @Test func changedWeightsReplaceTheRevision() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            try setup.commitDesk(weights: "two")
            try await setup.event("Converged", after: seen)
            let facts = try setup.desk()
            #expect(facts.promoted != first)
            #expect(facts.earlier == [first].compactMap(\.self))
            #expect(setup.runtime.observation.instances.count == 1, "the old weights are given back")
            #expect(setup.runtime.observation.runners.count == 1)
        }
    }

    @Test func newestCommitWinsOverALoadThatHangs() async throws {
        let setup = try ControllerSetup()
        setup.runtime.change { $0.hangingLoads = ["models/desk.jsonl"] }
        try setup.commitDesk()
        try await setup.run { setup in
            await setup.runtime.waitForHangingLoad()
            setup.runtime.change { $0.hangingLoads = [] }
            try setup.commitDesk(weights: "mended")
            try await setup.event("Promoted")
            #expect(try setup.desk().earlier.isEmpty, "the revision that hung was never promoted")
            #expect(setup.runtime.calls.count { $0 == "load models/desk.jsonl" } == 2)
            #expect(try setup.store.unfinishedLoads().isEmpty)
        }
    }

    @Test func loadThatHangsIsLeftBehindAndHeld() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            setup.runtime.change { $0.hangingLoads = ["models/desk.jsonl"] }
            try setup.commitDesk(weights: "two")
            await setup.runtime.waitForHangingLoad()
            await setup.loadClock.waitForSleepers()
            setup.loadClock.advance(by: .seconds(300))
            try await setup.event("Held", "LoadTimedOut", after: seen)
            #expect(try setup.desk().promoted == first)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == first)
        }
    }

    @Test func terminalFailureIsHeldAndThePromotedRevisionStays() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            setup.probe.fail(with: [ReconcilerTests.terminal])
            try setup.commitDesk(weights: "broken")
            try await setup.event("Converged", after: seen)
            let hold = try #require(try setup.store.facts().holds.first)
            #expect(hold.reason == "ModelUnreadable")
            #expect(hold.actor == .controller)
            #expect(try setup.desk().promoted == first)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == first)
            let status = try await setup.reconciler.status()
            #expect(status.sync == .outOfSync)
            #expect(status.health == .degraded)

            try await setup.reconciler.retry(ControllerSetup.desk, ControllerSetup.someone)
            try await setup.event("Promoted", after: seen)
            #expect(try setup.store.facts().holds.isEmpty)
        }
    }

    /// The traffic is planned to come after the start, and is moved in one go with it.
    @Test func startThatFailsMovesNoTraffic() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            setup.runtime.change { $0.startErrors = [ReconcilerTests.retryable] }
            try setup.commitDesk(weights: "two")
            try await setup.event("DiskBusy", "start", "try 1", after: seen)
            #expect(setup.runtime.calls.count { $0 == "setTraffic default/desk" } == 1)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == first)
            await setup.clock.waitForSleep(of: .milliseconds(250))
            setup.wallClock.advance(byMilliseconds: 250)
            setup.clock.advance(by: .milliseconds(250))
            try await setup.event("Promoted", after: seen)
            let moves = ["start default/desk", "setTraffic default/desk"]
            #expect(setup.runtime.calls.filter { moves.contains($0) } == moves + moves)
        }
    }

    @Test func warmUpRequestsComeBeforeTheTraffic() async throws {
        let setup = try ControllerSetup()
        let warmUp = "source: {uri: models/desk.jsonl}, warmUp: [{prompt: Hello., maxTokens: 4}]}"
        let manifest = ControllerSetup.manifest.replacing("source: {uri: models/desk.jsonl}}", with: warmUp)
        try setup.repository.write("models/desk.jsonl", "one")
        try setup.repository.write("desk.yaml", manifest)
        try setup.repository.commit("A model with a warm-up request")
        try await setup.run { setup in
            try await setup.event("Converged")
            let calls = setup.runtime.calls.suffix(3)
            #expect(calls == ["start default/desk", "warmUp default/desk", "setTraffic default/desk"])
        }
    }

    @Test func retryableFailureIsTriedAgainAfterItsBackoff() async throws {
        let setup = try ControllerSetup()
        setup.runtime.change { $0.loadErrors["models/desk.jsonl"] = [ReconcilerTests.retryable] }
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("DiskBusy", "try 1")
            await setup.clock.waitForSleep(of: .milliseconds(250))
            #expect(setup.runtime.calls.count { $0 == "load models/desk.jsonl" } == 1)
            setup.wallClock.advance(byMilliseconds: 250)
            setup.clock.advance(by: .milliseconds(250))
            try await setup.event("Promoted")
            #expect(try setup.store.facts().holds.isEmpty)
        }
    }

    @Test func backoffGrowsAndNothingHasConvergedMeanwhile() async throws {
        let setup = try ControllerSetup()
        let busy = [ReconcilerTests.retryable, ReconcilerTests.retryable]
        setup.runtime.change { $0.loadErrors["models/desk.jsonl"] = busy }
        try setup.commitDesk()
        try await setup.run { setup in
            for (attempt, delay) in [(1, 250), (2, 500)] {
                try await setup.event("DiskBusy", "try \(attempt)")
                await setup.clock.waitForSleep(of: .milliseconds(delay))
                #expect(try setup.store.commits(limit: 1).first?.convergedAt == nil)
                setup.wallClock.advance(byMilliseconds: Int64(delay))
                setup.clock.advance(by: .milliseconds(delay))
            }
            try await setup.event("Converged")
            #expect(try setup.desk().promoted != nil)
        }
    }

    @Test func loadThatTheEndCutsShortHasNotFailed() async throws {
        let setup = try ControllerSetup()
        setup.runtime.change { $0.hangingLoads = ["models/desk.jsonl"] }
        try setup.commitDesk()
        try await setup.run { await $0.runtime.waitForHangingLoad() }
        #expect(try setup.store.unfinishedLoads().isEmpty)
        #expect(try !setup.store.events(EventQuery(limit: 100)).contains { $0.reason == "LoadAbandoned" })
    }

    @Test func artifactsOfNoWrittenRevisionArePruned() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk(extra: ControllerSetup.second)
        try await setup.run { setup in
            #expect(await setup.artifacts.nextPrune()?.count == 1)
            #expect(try setup.store.facts().probes.count == 1)
            let seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two", extra: ControllerSetup.second)
            // What was promoted before is kept, so there is nothing to remove yet.
            try await setup.event("Promoted", "default/desk", after: seen)
            try await setup.event("Promoted", "default/second", after: seen)
            try setup.repository.write("desk.yaml", ControllerSetup.manifest.components(separatedBy: "---\n")[0])
            try setup.repository.commit("Remove every endpoint")
            #expect(await setup.artifacts.nextPrune()?.isEmpty == true)
            #expect(try setup.store.facts().probes.isEmpty, "what is probed again one day is not kept for ever")
        }
    }

    @Test func upstreamsThatCoolDownAndComeBackAreToldOnce() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let seen = try setup.newestEvent()
            setup.runtime.coolDown(["http://a": "it answered 503"])
            try await setup.event("UpstreamCoolingDown", after: seen)
            setup.runtime.coolDown(["http://a": "it answered 502"])
            setup.runtime.coolDown(nil)
            try await setup.event("UpstreamAnswers", after: seen)
            let events = try setup.store.events(EventQuery(limit: 1000)).filter { $0.reason.hasPrefix("Upstream") }
            #expect(events.count == 2)
            #expect(events.contains { $0.severity == .warning && $0.message.contains("http://a") })
            #expect(events.contains { $0.message.contains("it answered 503") })
        }
    }

    @Test func instanceThatDiesIsReplacedAtOnceAndThenEverMoreRarely() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let promoted = try setup.desk().promoted
            setup.runtime.killInstances()
            await setup.runtime.waitForInstance()
            #expect(setup.runtime.calls.count { $0 == "load models/desk.jsonl" } == 2)

            try await setup.settled()
            setup.runtime.killInstances()
            await setup.clock.waitForSleep(of: .milliseconds(250))
            #expect(setup.runtime.calls.count { $0 == "load models/desk.jsonl" } == 2, "the second time waits")
            setup.wallClock.advance(byMilliseconds: 250)
            setup.clock.advance(by: .milliseconds(250))
            await setup.runtime.waitForInstance()

            #expect(try setup.desk().promoted == promoted)
            #expect(try setup.store.facts().holds.isEmpty, "what was promoted is never held for dying")
            let deaths = try setup.store.events(EventQuery(limit: 1000)).count { $0.reason == "InstanceDied" }
            #expect(deaths == 2)
        }
    }

    /// A runner of a revision that nobody remembers may still hold an instance: unloading it does nothing, for ever.
    @Test func instanceThatIsStillHeldIsLeftAlone() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk(weights: "one")
        try await setup.run { setup in
            try await setup.event("Converged")
            let (old, seen) = (try #require(setup.runtime.observation.instances.keys.first), try setup.newestEvent())
            try setup.commitDesk(weights: "two")
            try await setup.event("Converged", after: seen)
            #expect(setup.runtime.calls.count { $0 == "unload" } == 1)
            setup.runtime.change {
                $0.observation.instances[old] = InstanceObservation(state: .ready, memoryBytes: 1, isLeased: true)
            }
            while try await setup.reconciler.status().memoryBytes == 1000 { await Task.yield() }
            try await setup.settled()
            #expect(setup.runtime.calls.count { $0 == "unload" } == 1)
            setup.runtime.change { $0.observation.instances[old]?.isLeased = false }
            while setup.runtime.observation.instances[old] != nil { await Task.yield() }
        }
    }

    @Test func rollbackHoldsAndReleaseLetsGo() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            try setup.commitDesk(weights: "two")
            try await setup.event("Converged", after: seen)
            let second = try setup.desk().promoted

            let rolledBack = try setup.newestEvent()
            let hold = try await setup.reconciler.rollback(ControllerSetup.desk, to: nil, ControllerSetup.someone)
            #expect(hold.target == first)
            try await setup.event("Promoted", after: rolledBack)
            #expect(try setup.desk().promoted == first)
            #expect(try setup.store.promotions(of: ControllerSetup.desk, limit: 1).first?.actor == Actor("dana"))

            let released = try setup.newestEvent()
            try await setup.reconciler.release(ControllerSetup.desk, ControllerSetup.someone)
            try await setup.event("Promoted", after: released)
            #expect(try setup.desk().promoted == second)
            #expect(try setup.store.verifyAudit().brokenAt == nil)
        }
    }

    @Test func suspendedEndpointStaysAsItIs() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let endpoint = Suspension.resource(ControllerSetup.desk.resource)
            try await setup.reconciler.suspend(endpoint, ControllerSetup.someone)
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            try setup.commitDesk(weights: "two")
            try await setup.event("CommitRead", "two", after: seen)
            _ = try await setup.reconciler.sync(ControllerSetup.someone)
            #expect(try setup.desk().promoted == first)
            try await setup.reconciler.resume(endpoint, ControllerSetup.someone)
            try await setup.event("Promoted", after: seen)
            #expect(try setup.desk().promoted != first)
        }
    }

    @Test func endpointThatLeavesTheRepositoryIsPruned() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk(extra: ControllerSetup.second)
        try await setup.run { setup in
            try await setup.event("Converged")
            #expect(setup.runtime.observation.runners.count == 2)
            let seen = try setup.newestEvent()
            try setup.commitDesk()
            try await setup.event("Pruned", "default/second", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(setup.runtime.observation.runners.count == 1)
            #expect(try setup.store.facts().variants.count == 1)
        }
    }

    @Test func brokenDocumentBlocksOnlyItself() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk(extra: ControllerSetup.second)
        try await setup.run { setup in
            try await setup.event("Converged")
            let seen = try setup.newestEvent()
            let broken = ControllerSetup.second.replacing("serve", with: "sreve")
            try setup.commitDesk(weights: "two", extra: broken)
            try await setup.event("ManifestInvalid", "did you mean 'serve'", after: seen)
            try await setup.event("Promoted", "default/desk", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(try setup.store.facts().variants.count == 2, "the broken endpoint keeps what it had")
            #expect(setup.runtime.observation.traffic.count == 2)
        }
    }
}
