internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Replicas by how much there is to do, as callers and operators see it.
    @Suite(.enabled(if: Executable.hasLlama, "\(Executable.hint)"))
    struct ScalingTests {
        @Test func aQuietEndpointGivesItsModelBackAndWakesForItsCallers() async throws {
            let desk = try Desk()
            let serve = "serve: {model: deskhand-embeddings}\n"
            let commit = try desk.commit(
                "endpoints/desk.yaml",
                serve,
                serve + "  replicas: {min: 0, max: 2, scaleDownDelay: 1s}\n"
            )
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: commit)
            let slept = try await martlet.waitForEvent("ScaledDown", saying: "default/embeddings from 1 to 0 replicas")
            #expect(slept.message.hasSuffix("no request in the last 1s: 0 replicas"))
            try await martlet.wait(for: "the model to be unloaded") {
                try await martlet.resource(.model, "deskhand-embeddings").instance?.state == .unloaded
            }
            let status = try await martlet.status()
            #expect(status.health == .healthy && status.sync == .synced, "\(status)")
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))

            let request: JSONValue = ["model": "embeddings", "input": .string(Desk.question)]
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await martlet.data.post("/v1/embeddings", request).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [200, 200, 200, 200])
            try await martlet.waitForEvent("ScaledUp", saying: "default/embeddings from 0 to 1 replica")
            let described = try await martlet.verb("describe", "endpoint", "embeddings")
            #expect(described.output.contains("came while no replica ran"), "\(described.output)")
            let metrics = try await martlet.metrics.get("/metrics").text
            #expect(metrics.contains("martlet_replicas_wanted{"))
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }
    }
}
