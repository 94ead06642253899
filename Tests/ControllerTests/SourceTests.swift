import Controller
import Foundation
import Planning
import Schema
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SourceTests {
    @Test func syncFindsWhatCameSinceTheCommitWasRead() async throws {
        let setup = try ControllerSetup()
        let folder = try TemporaryFolder()
        let (file, bytes) = ("\(folder.path)/late.jsonl", Data("late".utf8))
        let source = "{uri: file://\(file), sha256: \(Digest(of: bytes).hex)}"
        let manifest = ControllerSetup.manifest.replacing("{uri: models/desk.jsonl}", with: source)
        try setup.repository.write("desk.yaml", manifest)
        let commit = try setup.repository.commit("A file elsewhere")
        try await setup.run { setup in
            try await setup.event("ManifestInvalid", "there is no file")
            try await setup.event("Converged")
            try bytes.write(to: URL(filePath: file))
            #expect(try await setup.reconciler.sync(ControllerSetup.someone).id == commit)
            try await setup.event("Promoted")
            #expect(try setup.store.events(EventQuery(limit: 1000)).count { $0.reason == "CommitRead" } == 1)
            #expect(try setup.store.commits(limit: 10).map(\.errors) == [0])
        }
    }

    @Test func declaredDigestOfAFileInTheRepositoryIsVerified() async throws {
        let setup = try ControllerSetup()
        @Sendable func commit(_ digest: Digest) throws {
            let source = "{uri: models/desk.jsonl, sha256: \(digest.hex)}"
            let manifest = ControllerSetup.manifest.replacing("{uri: models/desk.jsonl}", with: source)
            try setup.repository.write("models/desk.jsonl", "one")
            try setup.repository.write("desk.yaml", manifest)
            try setup.repository.commit("sha256 \(digest)")
        }
        try commit(Digest(of: "another".utf8))
        try await setup.run { setup in
            try await setup.event("ManifestInvalid", "has the sha256 \(Digest(of: "one".utf8).hex)")
            try await setup.event("Converged")
            #expect(setup.probe.probes == 0)
            try commit(Digest(of: "one".utf8))
            try await setup.event("Promoted")
        }
    }

    @Test func syncThatNobodyCanServeAnyMoreFails() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { try await $0.event("Converged") }
        let error = await #expect(throws: MartletError.self) {
            try await setup.reconciler.sync(ControllerSetup.someone)
        }
        #expect(error?.code == "Conflict")
    }

    @Test func commitInForceIsReadAgainThoughItsRefIsGoneAtTheStart() async throws {
        let first = try ControllerSetup(ref: "release")
        let commit = try first.commitDesk()
        try first.repository.branch("release")
        try await first.run { try await $0.event("Converged") }
        try first.repository.git("branch", "-D", "release")

        let second = try ControllerSetup(restarting: first, ref: "release")
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(
                setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == (try setup.desk().promoted)
            )
            var status = try await setup.reconciler.status()
            #expect(status.source.condition.status == .no)
            #expect(status.sync == .unknown)
            #expect(try await setup.reconciler.plan().obstacles.first?.hasPrefix("the source cannot be read: ") == true)
            #expect(status.source.commit?.id == commit)

            try setup.repository.branch("release")
            while status.source.condition.status != .yes { status = try await setup.reconciler.status() }
            #expect(status.sync == .synced)
            #expect(try setup.store.promotions(of: nil, limit: 10).count == 1)
        }
    }

    @Test func promotedRevisionServesThoughNoCommitCanBeReadAtTheStart() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        try await first.run { try await $0.event("Converged") }
        let promoted = try first.desk().promoted
        try first.repository.hideObjects()

        let second = try ControllerSetup(restarting: first)
        try await second.run { setup in
            while setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision != promoted {
                await Task.yield()
            }
            while await !setup.reconciler.obstaclesToReadiness().isEmpty { await Task.yield() }
            let desk = ControllerSetup.desk.resource
            #expect(setup.runtime.observation.settings[desk] == (try setup.desk().settings?.revision))
            let status = try await setup.reconciler.status()
            #expect(status.source.condition.status == .no)
            #expect(status.sync == .unknown)
            #expect(status.endpoints.map(\.variants.first?.promoted) == [promoted])

            let seen = try setup.newestEvent()
            try setup.repository.bringBackObjects()
            try await setup.reconciler.sync(ControllerSetup.someone)
            try await setup.event("CommitRead", after: seen)
            try await setup.event("Converged", after: seen)
            #expect(try await setup.reconciler.status().sync == .synced)
            #expect(try setup.store.promotions(of: nil, limit: 10).count == 1)
        }
    }

    @Test func sourceThatCouldNotBeReadIsReadAgainByItself() async throws {
        let setup = try ControllerSetup()
        let commit = try setup.commitDesk()
        try setup.repository.hideObjects()
        try await setup.run { setup in
            // Ever more rarely, and no ref moves meanwhile.
            for delay in [250, 500, 1000] as [Int64] {
                await setup.clock.waitForSleep(of: .milliseconds(delay))
                if delay == 1000 {
                    try setup.repository.bringBackObjects()
                }
                setup.wallClock.advance(byMilliseconds: delay)
                setup.clock.advance(by: .milliseconds(delay))
            }
            try await setup.event("Converged")
            #expect(try await setup.reconciler.status().source.commit?.id == commit)
            let complaints = try setup.store.events(EventQuery(limit: 100)).filter { $0.severity == .warning }
            #expect(complaints.count == 1, "the same trouble is told once")
        }
    }

    @Test func oneOfTwoSourcesIsReadAgainByItself() async throws {
        let other = try TemporaryRepository()
        try other.write("models/desk.jsonl", "other")
        try other.write("other.yaml", ControllerSetup.manifest.replacing("name: desk", with: "name: other"))
        try other.commit("Another source")
        try other.hideObjects()
        let setup = try ControllerSetup(beside: other)
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Promoted", "desk")
            await setup.clock.waitForSleep(of: .milliseconds(250))
            try other.bringBackObjects()
            setup.wallClock.advance(byMilliseconds: 250)
            setup.clock.advance(by: .milliseconds(250))
            try await setup.event("SourceRead", "other")
        }
    }

    /// That it cannot be read now does not mean that the repository has lost it.
    @Test(arguments: [("^{tree}", "ObjectNotFound"), ("", "RefUnreadable")])
    func commitInForceThatCannotBeReadForAWhileIsNotGone(_ part: String, _ reason: String) async throws {
        let first = try ControllerSetup(policy: SyncPolicy(mode: .manual))
        let one = try first.commitDesk(weights: "one")
        try await first.run { setup in
            try await setup.event("ManualSync", String(one.prefix(10)))
            try await setup.reconciler.sync(ControllerSetup.someone)
            try await setup.event("Converged")
        }
        let two = try first.commitDesk(weights: "two")
        let object = try first.repository.id(of: one + part)
        let file = first.repository.absolute(".git/objects/\(object.prefix(2))/\(object.dropFirst(2))")
        try FileManager.default.moveItem(atPath: file, toPath: "\(file).away")
        // A commit that is damaged, and not missing, is no lost one either.
        if part.isEmpty { try Data("damage".utf8).write(to: URL(fileURLWithPath: file)) }

        let second = try ControllerSetup(restarting: first, policy: SyncPolicy(mode: .manual))
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event(reason, "the source cannot be read: ", after: seen)
            while setup.runtime.observation.traffic[ControllerSetup.desk] == nil { await Task.yield() }
            let status = try await setup.reconciler.status()
            #expect(status.source.condition.status == .no)
            #expect(status.source.condition.reason == reason)
            #expect(status.source.commit?.id == one)
            #expect(status.source.waiting?.commit.id == two)
            #expect(try await setup.reconciler.plan().obstacles.first?.hasPrefix("the source cannot be read: ") == true)
            #expect(try setup.store.events(EventQuery(limit: 10_000)).allSatisfy { $0.reason != "CommitGone" })

            try? FileManager.default.removeItem(atPath: file)
            try FileManager.default.moveItem(atPath: "\(file).away", toPath: file)
            try setup.commitDesk(weights: "three")
            while try await setup.reconciler.status().source.condition.reason != "Read" { await Task.yield() }
            #expect(try await setup.reconciler.status().source.commit?.id == one)
        }
    }

    @Test func readyOnceEverythingServesAndFromThenOn() async throws {
        let setup = try ControllerSetup()
        #expect(await setup.reconciler.obstaclesToReadiness() == ["no commit is read yet"])
        setup.runtime.change { $0.hangingLoads = ["models/desk.jsonl"] }
        try setup.commitDesk()
        try await setup.run { setup in
            await setup.runtime.waitForHangingLoad()
            #expect(await setup.reconciler.obstaclesToReadiness() == ["default/desk does not serve yet"])
            setup.runtime.change { $0.hangingLoads = [] }
            try setup.commitDesk(weights: "two")
            try await setup.event("Converged")
            #expect(await setup.reconciler.obstaclesToReadiness().isEmpty)

            setup.runtime.change { $0.hangingLoads = ["models/desk.jsonl"] }
            try setup.commitDesk(weights: "three")
            await setup.runtime.waitForHangingLoad()
            #expect(await setup.reconciler.obstaclesToReadiness().isEmpty)
        }
    }
}
