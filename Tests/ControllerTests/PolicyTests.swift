import Controller
import Planning
import Schema
import TestSupport
import Testing

/// What a policy holds back while the loop runs, and what serves on.
@Suite(.timeLimit(.minutes(1)))
struct PolicyTests {
    private static func policy(_ spec: String) -> String {
        """
        ---
        apiVersion: martlet.dev/v1
        kind: Policy
        metadata: {name: house}
        spec: \(spec)

        """
    }

    @Test func violationIsHeldBackWhileThePromotedRevisionServes() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let promoted = try setup.desk().promoted
            var seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two", extra: Self.policy("{engines: {allow: [llama]}}"))
            let event = try await setup.event("PolicyViolation", "spec.engine", "Policy/default/house")
            #expect(event.message.hasPrefix("desk.yaml:4:16: error: "), "\(event.message)")
            try await setup.event("Converged", after: seen)
            let model = ResourceIdentity(.model, namespace: "default", name: "desk")
            let conditions = try setup.store.conditions()[model] ?? []
            #expect(conditions.first { $0.type == .blocked }?.reason == "PolicyViolation")
            #expect(try setup.desk().promoted == promoted)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == promoted)

            seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two", extra: Self.policy("{engines: {allow: [llama, replay]}}"))
            try await setup.event("Promoted", after: seen)
        }
    }

    @Test func measureOfTheProbeHeedsTheLimit() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk(extra: Self.policy("{limits: {memory: 999}}"))
        try await setup.run { setup in
            try await setup.settled()
            while !(try await setup.reconciler.plan().waits.contains { $0.word == "PolicyViolation" }) {
                await Task.yield()
            }
            let waits = try await setup.reconciler.plan().waits
            let wait = try #require(waits.first { $0.word == "PolicyViolation" })
            #expect(wait.reason.contains("measured it; Policy/default/house allows one instance 999 bytes"))
            #expect(setup.probe.probes == 1)
            #expect(setup.runtime.observation.instances.isEmpty)

            let seen = try setup.newestEvent()
            try setup.commitDesk(extra: Self.policy("{limits: {memory: 1Ti}}"))
            try await setup.event("Promoted", after: seen)
        }
    }
}
