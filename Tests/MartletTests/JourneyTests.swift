internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// From commits to answers.
    @Suite(.enabled(if: Executable.hasLlama, "\(Executable.hint)"))
    struct JourneyTests {
        @Test func commitBecomesAnAnswer() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())

            let answer = try await martlet.data.chat("desk", Desk.question)
            #expect(answer.content?.contains("30") == true, "\(answer.text)")
            #expect(answer.revision == (try await martlet.variant("desk"))?.promoted?.description)
            #expect(answer.headers["x-martlet-commit"] == (try desk.repository.head()))
            #expect(try await martlet.ask("desk", Desk.complaint).hasPrefix("Dear customer,"))
            let models = try await martlet.data.get("/v1/models").json["data"]?.array?.compactMap { $0["id"]?.string }
            #expect(models?.sorted() == ["desk", "deskhand", "embeddings"])
            let ticket = try await martlet.data.post("/v1/chains/desk", ["message": .string(Desk.complaint)]).json
            #expect(ticket["ticket"]?["intent"] == "complaint", "\(ticket)")
            #expect(try await martlet.metrics.get("/readyz").status == 200)
            let status = try await martlet.status()
            #expect(status.sync == .synced && status.health == .healthy && status.holds.isEmpty)
            #expect(await martlet.stop() == .exited(0), "\(martlet.log)")
        }

        @Test func promptChangeReloadsNoWeights() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let before = try await martlet.revision("desk")
            let instance = try #require(await martlet.resource(.model, "deskhand").instance)
            // A probe or a load would fetch the weights from git once more.
            let cached = try Self.removeCachedArtifacts(of: martlet)
            #expect(cached.count >= 2)

            let commit = try desk.commit(returnWindow: 45)
            try await martlet.waitForRevision("desk", after: before)
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.ask("desk", Desk.question).contains("45"))
            #expect(cached.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
            let later = try #require(await martlet.resource(.model, "deskhand").instance)
            #expect(later.key == instance.key && later.state == .ready)
        }

        @Test func brokenManifestIsIsolated() async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let before = try await martlet.revision("desk")
            // One broken document, one good change of something else, in one commit.
            try desk.edit("endpoints/desk.yaml", "serve: {chain: desk}", "serve: {chian: desk}")
            let commit = try desk.commit(
                "endpoints/desk.yaml",
                "serve: {model: deskhand}",
                "chat: {}\n  serve: {model: deskhand}"
            )
            let event = try await martlet.waitForEvent("ManifestInvalid", saying: "chian")
            #expect(event.message.hasPrefix("endpoints/desk.yaml:8:11: error: "), "\(event.message)")
            #expect(event.message.contains("did you mean 'chain'?"))
            try await martlet.waitForConvergence(of: commit)
            #expect(try await martlet.revision("desk") == before)
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))
            #expect(try await martlet.status().health == .degraded)
            let validation = try await martlet.verb("validate")
            #expect(validation.code == 2)
            #expect(validation.complaint.contains(event.message))

            let mended = try desk.commit("endpoints/desk.yaml", "serve: {chian: desk}", "serve: {chain: desk}")
            try await martlet.waitForConvergence(of: mended)
            #expect(try await martlet.status().health == .healthy)
        }

        @Test(arguments: ["truncated", "crashing"])
        func badModelIsHeld(_ defect: String) async throws {
            let desk = try Desk()
            let martlet = try await RunningMartlet.started(desk.repository.path)
            try await martlet.waitForConvergence(of: desk.repository.head())
            let (before, process) = (try await martlet.revision("desk"), martlet.program?.id)
            let good = try desk.bytes(Desk.model)
            switch defect {
            case "truncated": try desk.repository.write(Desk.model, bytes: Array(good.prefix(100_000)))
            default: try await Self.makeCrashing(desk)
            }
            let commit = try desk.repository.commit("Upload a bad model")
            let hold = try await martlet.waitForHold("desk", of: commit)
            #expect(hold.message.contains(Desk.model), "\(hold.message)")
            #expect(hold.reason == (defect == "truncated" ? "ModelUnreadable" : "ProbeCrashed"))
            #expect(try await martlet.revision("desk") == before)
            #expect(try await martlet.ask("desk", Desk.question).contains("30"))
            #expect(try await martlet.status().health == .degraded)
            #expect(martlet.program?.id == process && martlet.program?.end == nil)

            try desk.repository.write(Desk.model, bytes: good)
            try desk.repository.commit("Go back")
            try await martlet.wait(for: "everything to be healthy") {
                try await martlet.status().health == .healthy
            }
            #expect(try await martlet.audit().brokenAt == nil)
        }

        /// Removes the files that the controller took out of git, and returns their paths.
        private static func removeCachedArtifacts(of martlet: RunningMartlet) throws -> [String] {
            let folder = "\(martlet.stateDirectory)/artifacts"
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
                .filter {
                    (try? FileManager.default.attributesOfItem(atPath: $0)[.type]) as? FileAttributeType == .typeRegular
                }
            for file in files { try FileManager.default.removeItem(atPath: file) }
            return files
        }

        private static func makeCrashing(_ desk: Desk) async throws {
            let model = desk.repository.absolute(Desk.model)
            let script = "\(Executable.repository)scripts/make-crashing-gguf"
            let made = try TestChild(["python3", script, model, "\(model).bad"])
            guard await made.finished() == 0 else { throw MartletError("ScriptFailed", "\(script) failed") }
            try FileManager.default.removeItem(atPath: model)
            try FileManager.default.moveItem(atPath: "\(model).bad", toPath: model)
        }
    }
}
