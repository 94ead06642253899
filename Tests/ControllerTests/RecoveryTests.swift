import Controller
import Planning
import Schema
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RecoveryTests {
    @Test func restartServesThePromotedRevisionAgain() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let promoted = try first.desk().promoted

        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == promoted)
            #expect(setup.probe.probes == 0, "what was probed before is not probed again")
            #expect(try setup.store.promotions(of: nil, limit: 10).count == 1, "nothing was promoted twice")
        }
    }

    @Test func loadThatTookTheProcessDownIsHeld() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let instance = try #require(first.runtime.observation.instances.keys.first)
        let fresh = try ControllerSetup()
        try fresh.store.write([.beginLoading(instance)])
        try fresh.commitDesk()
        try await fresh.run { setup in
            try await setup.event("CrashedWhileLoading")
            try await setup.event("Held", "CrashedWhileLoading")
            #expect(!setup.runtime.calls.contains("load models/desk.jsonl"))
            #expect(try setup.store.unfinishedLoads().isEmpty, "one crash is counted once")

            try await setup.reconciler.retry(ControllerSetup.desk, ControllerSetup.someone)
            try await setup.event("Promoted")
            #expect(try setup.store.facts().crashed.isEmpty)
        }
    }

    /// However often: a load that is killed is not to blame.
    @Test func loadThatWasCutShortFromOutsideIsDoneAgain() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let instance = try #require(first.runtime.observation.instances.keys.first)
        try first.store.write([.beginLoading(instance), .loadCutShort(instance, starts: 2)])
        let second = try ControllerSetup(restarting: first, lastEnd: .fromOutside)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("LoadCutShort", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk] != nil)
            #expect(try setup.store.facts().crashed.isEmpty)
            #expect(try setup.store.unfinishedLoads().isEmpty)
        }
    }

    /// The kernel ends every process that loads a file which needs more memory than there is.
    @Test func loadThatIsAlwaysCutShortIsHeld() async throws {
        var setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { try await $0.event("Converged") }
        let instance = try #require(setup.runtime.observation.instances.keys.first)
        for start in 1...3 {
            try setup.store.write([.beginLoading(instance)])
            setup = try ControllerSetup(restarting: setup, lastEnd: .shortOfMemory)
            setup.runtime.change { $0.hangingLoads = ["models/desk.jsonl"] }
            let seen = try setup.newestEvent()
            try await setup.run { setup in
                guard start == 3 else {
                    try await setup.event("LoadCutShort", start == 2 ? "alone (time 2)" : "", after: seen)
                    await setup.runtime.waitForHangingLoad()
                    // Killed here: whatever it still writes, the load did not end.
                    setup.store.refuse(with: MartletError("StateNotWritten", "the process is gone"))
                    return
                }
                try await setup.event("CrashedWhileLoading", "3 processes in a row", after: seen)
                #expect(setup.runtime.calls.isEmpty)
                #expect(try setup.store.facts().crashed == [instance])
                #expect(try setup.store.facts().cutShort.isEmpty)
                setup.runtime.change { $0.hangingLoads = [] }
                try await setup.reconciler.retry(ControllerSetup.desk, ControllerSetup.someone)
                while setup.runtime.observation.traffic[ControllerSetup.desk] == nil { await Task.yield() }
                #expect(try setup.store.facts().crashed.isEmpty)
            }
            setup.store.refuse(with: nil)
        }
    }

    @Test func loadThatEndsIsForgivenEarlierEnds() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let instance = try #require(first.runtime.observation.instances.keys.first)
        try first.store.write([.beginLoading(instance), .loadCutShort(instance, starts: 1)])
        let second = try ControllerSetup(restarting: first, lastEnd: .shortOfMemory)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("LoadCutShort", "time 2", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(try setup.store.facts().cutShort.isEmpty)
        }
    }

    @Test func crashDuringSeveralLoadsBlamesNobodyYet() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let instance = try #require(first.runtime.observation.instances.keys.first)
        try first.store.write([.beginLoading(instance), .beginLoading(InstanceKey(Digest(of: "another".utf8)))])
        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("CrashedWhileLoading", "one by one", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk] != nil)
            #expect(try setup.store.facts().crashed.isEmpty)
            #expect(try setup.store.unfinishedLoads().isEmpty)
        }
    }

    @Test func retryForgivesThePromotedRevisionToo() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let instance = try #require(first.runtime.observation.instances.keys.first)
        try first.store.write([.crashed(instance)])
        try first.repository.write("desk.yaml", ControllerSetup.manifest.replacing("serve:", with: "sreve:"))
        try first.repository.commit("No revision of this can be told")
        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk] == nil)
            try await setup.reconciler.retry(ControllerSetup.desk, ControllerSetup.someone)
            while setup.runtime.observation.traffic[ControllerSetup.desk] == nil { await Task.yield() }
            #expect(try setup.store.facts().crashed.isEmpty)
        }
    }

    @Test func unreadableFileAtTheStartPrunesNothing() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }

        try first.repository.write("desk.yaml", "a: [unclosed\n")
        try first.repository.commit("Oops")
        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(try setup.store.facts().variants[ControllerSetup.desk]?.promoted != nil)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk] != nil)
        }
    }

    @Test(arguments: 1...12)
    func everyWriteMayFailOnce(write: Int) async throws {
        let setup = try ControllerSetup(waitsAreOver: true)
        setup.store.failWrite(write)
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Promoted")
            try await setup.event("Converged")
            let facts = try setup.store.facts()
            #expect(facts.holds.isEmpty)
            #expect(facts.variants[ControllerSetup.desk]?.rollout == nil)
            let promoted = try setup.store.events(EventQuery(limit: 1000)).count { $0.reason == "Promoted" }
            #expect(promoted == 1, "no event is doubled")
        }
    }

    @Test func missingRefKeepsWhatRuns() async throws {
        let setup = try ControllerSetup(ref: "release")
        try setup.commitDesk()
        try setup.repository.branch("release")
        try await setup.run { setup in
            try await setup.event("Converged")
            try setup.repository.git("branch", "-D", "release")
            try await setup.event("RefNotFound")
            let status = try await setup.reconciler.status()
            #expect(status.source.condition.status == .no)
            #expect(status.endpoints.first?.health == .healthy)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk] != nil)

            try setup.commitDesk(weights: "two")
            try setup.repository.branch("release")
            try await setup.event("CommitRead", "two")
            #expect(try await setup.reconciler.status().source.condition.status == .yes)
        }
    }
}
