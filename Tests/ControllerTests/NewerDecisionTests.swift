import Controller
import Planning
import Schema
import TestSupport
import Testing

/// What is decided while steps of an older plan are under way.
@Suite(.timeLimit(.minutes(1)))
struct NewerDecisionTests {
    @Test func suspensionDuringAStartKeepsTheTrafficWhereItIs() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            let desk = Suspension.resource(ControllerSetup.desk.resource)
            setup.runtime.change { state in
                state.whenStarting = { try await setup.reconciler.suspend(desk, ControllerSetup.someone) }
            }
            try setup.commitDesk(weights: "two")
            try await setup.event("Operator", "suspend", after: seen)
            try await setup.settled()
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == first)
            #expect(setup.runtime.calls.count { $0 == "setTraffic default/desk" } == 1)
            try await setup.reconciler.resume(desk, ControllerSetup.someone)
            try await setup.event("Promoted", after: seen)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision != first)
        }
    }

    @Test func commitDuringAStartIsTheNextToTakeTraffic() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let seen = try setup.newestEvent()
            setup.runtime.change { state in
                state.whenStarting = {
                    let newest = try setup.commitDesk(weights: "three")
                    while try await setup.reconciler.status().source.commit?.id != newest { await Task.yield() }
                }
            }
            try setup.commitDesk(weights: "two")
            try await setup.event("Promoted", after: seen)
            #expect(setup.runtime.calls.count { $0 == "setTraffic default/desk" } == 2)
            #expect(try setup.desk().earlier.count == 1, "what was superseded while it started was never promoted")
        }
    }

    /// The drain has begun and not yet taken effect when a person wants its revision back.
    @Test func revisionThatIsBeingDrainedGetsNoTraffic() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().promoted, try setup.newestEvent())
            setup.runtime.change { state in
                state.whenDraining = {
                    let plans = await setup.reconciler.metrics.plans
                    _ = try await setup.reconciler.rollback(ControllerSetup.desk, to: nil, ControllerSetup.someone)
                    while await setup.reconciler.metrics.plans < plans + 2 { await Task.yield() }
                    // Time for the steps that the pass has begun.
                    for _ in 0..<1000 { await Task.yield() }
                }
            }
            try setup.commitDesk(weights: "two")
            try await setup.event("Operator", "rollback", after: seen)
            while setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision != first {
                await Task.yield()
            }
            try await setup.settled()
            #expect(setup.runtime.drainsWithTraffic == 0)
            #expect(try setup.desk().promoted == first)
        }
    }

    /// The commit that asked for the settings is not in force any more when they are written.
    @Test func settingsThatWereAppliedAreWrittenThoughTheirManifestBrokeMeanwhile() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let (first, seen) = (try setup.desk().settings?.revision, try setup.newestEvent())
            setup.runtime.change { state in
                state.whenApplying = {
                    let broken = ControllerSetup.manifest.replacing("anonymous: true", with: "anonymous: perhaps")
                    try setup.repository.write("desk.yaml", broken)
                    let newest = try setup.repository.commit("A broken endpoint")
                    while try await setup.reconciler.status().source.commit?.id != newest { await Task.yield() }
                }
            }
            try setup.repository.write(
                "desk.yaml",
                ControllerSetup.manifest.replacing("anonymous: true}", with: "anonymous: true}, limits: {timeout: 9s}")
            )
            try setup.repository.commit("Other settings")
            try await setup.event("Converged", "left out", after: seen)
            let written = try setup.desk().settings?.revision
            #expect(written != first)
            #expect(written == setup.runtime.observation.settings[ControllerSetup.desk.resource])
        }
    }
}
