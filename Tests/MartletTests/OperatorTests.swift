internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// What people decide, against what git says.
    @Suite(.enabled(if: Executable.hasLlama, "\(Executable.hint)"))
    struct OperatorTests {
        @Test func rollbackReleaseAndRetry() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let first = try #require(try await martlet.revision("desk"))
            let commit = try desk.commit(returnWindow: 60)
            let second = try await martlet.waitForRevision("desk", after: first)
            try await martlet.waitForConvergence(of: commit)

            let rollback = try await martlet.verb("rollback", "endpoint/desk", "--reason", "the lawyers said 30")
            #expect(rollback.code == 0, "\(rollback.complaint)")
            #expect(try await martlet.waitForRevision("desk", after: second) == first)
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))
            let status = try await martlet.status()
            #expect(status.sync == .outOfSync && status.health == .degraded)
            #expect(status.holds.map(\.reason) == ["RolledBack"])
            #expect(status.holds.map(\.message) == ["the lawyers said 30"])

            let again = try await martlet.verb("rollback", "endpoint/desk", "--reason", "twice")
            #expect(again.code == 0, "\(again.complaint)")
            #expect(try await martlet.verb("retry", "endpoint/desk").code == 0)
            #expect(try await martlet.waitForRevision("desk", after: first) == second)

            #expect(try await martlet.verb("rollback", "endpoint/desk", "--reason", "once more").code == 0)
            #expect(try await martlet.waitForRevision("desk", after: second) == first)
            #expect(try await martlet.verb("release", "endpoint/desk").code == 0)
            #expect(try await martlet.waitForRevision("desk", after: first) == second)
            let nothingHeld = try await martlet.verb("release", "endpoint/desk")
            #expect(nothingHeld.code == 2)
            #expect(nothingHeld.complaint.contains("has no hold to release"))

            let actions = try await martlet.verb("audit", "-o", "json")
            for word in ["rollback", "retry", "release", "promote"] {
                #expect(actions.output.contains("\"\(word)\""), "\(word)")
            }
            let verified = try await martlet.verb("audit", "verify")
            #expect(verified.code == 0 && verified.output.contains("the chain is whole"))
        }

        @Test func newCommitEndsARollback() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            let first = try await martlet.waitForRevision("desk")
            try desk.commit(returnWindow: 60)
            let second = try await martlet.waitForRevision("desk", after: first)
            #expect(try await martlet.verb("rollback", "endpoint/desk", "--reason", "not 60").code == 0)
            #expect(try await martlet.waitForRevision("desk", after: second) == first)
            let commit = try desk.commit(returnWindow: 45)
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.ask("desk", Desk.question).contains("45"))
            #expect(try await martlet.status().sync == .synced)
        }

        @Test func suspendedEndpointStays() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            let first = try await martlet.waitForRevision("desk")
            #expect(try await martlet.verb("suspend", "endpoint/desk", "--reason", "a quiet weekend").code == 0)
            let commit = try desk.commit(returnWindow: 60)
            try await martlet.waitForEvent("CommitRead", saying: String(commit.prefix(10)))
            // Another commit that does something shows that the loop went on past the suspended endpoint.
            try desk.commit(
                "endpoints/desk.yaml",
                "serve: {model: deskhand}",
                "replicas: {min: 2, max: 2}\n  serve: {model: deskhand}"
            )
            try await martlet.wait(for: "the other endpoint to be scaled") {
                try await martlet.variant("deskhand")?.replicas == 2
            }
            #expect(try await martlet.revision("desk") == first)
            #expect(try await martlet.resource(.endpoint, "desk").suspended)
            #expect(try await martlet.resource(.endpoint, "desk").health == .suspended)
            #expect(try await martlet.verb("resume", "endpoint/desk").code == 0)
            try await martlet.waitForRevision("desk", after: first)
            #expect(try await martlet.ask("desk", Desk.question).contains("60"))
        }

        @Test func endpointThatLeftGitIsGone() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let file = "endpoints/desk.yaml"
            let text = String(decoding: try desk.bytes(file), as: UTF8.self)
            let kept = text.components(separatedBy: "---\n").filter { !$0.contains("name: embeddings") }
            try desk.repository.write(file, kept.joined(separator: "---\n"))
            let commit = try desk.repository.commit("No vectors")
            try await martlet.waitForConvergence(of: commit)
            let answer = try await martlet.data.post("/v1/embeddings", ["model": "embeddings", "input": "chair"])
            #expect(answer.status == 404)
            #expect(answer.errorCode == "model_not_found")
            try await martlet.waitForEvent("Pruned", saying: "embeddings")
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))
            #expect(try await martlet.verb("get", "endpoint", "embeddings").code == 2)
        }

        @Test func accessTakenAwayIsGoneAtOnce() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let promoted = try await martlet.variant("desk")?.promoted
            let file = "endpoints/desk.yaml"
            let text = String(decoding: try desk.bytes(file), as: UTF8.self)
            try desk.repository.write(
                file,
                text.replacing("access: {anonymous: true}", with: "access: {anonymous: false}")
            )
            try desk.repository.commit("Nobody")
            try await martlet.wait(for: "the endpoint to be closed") {
                try await martlet.data.chat("desk", Desk.question).status == 404
            }
            let (closed, unknown) = (
                try await martlet.data.chat("desk", "hello"), try await martlet.data.chat("nothing", "hello")
            )
            #expect(closed.errorCode == "model_not_found")
            #expect(closed.text.replacing("desk", with: "nothing") == unknown.text)
            #expect(try await martlet.variant("desk")?.promoted == promoted)
            #expect(try await martlet.data.get("/v1/models").json["data"]?.array == [])

            try desk.repository.write(file, text)
            try desk.repository.commit("Everybody")
            try await martlet.wait(for: "the endpoint to be open") {
                try await martlet.data.chat("desk", Desk.question).status == 200
            }
        }
    }
}
