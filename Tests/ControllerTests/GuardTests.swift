import Controller
import Foundation
import Planning
import Schema
import TestSupport
import Testing

/// What the loop makes of guards: removals that are stopped, commits that wait.
@Suite(.timeLimit(.minutes(1)))
struct GuardTests {
    // MARK: Removals

    @Test func massDeletionIsStoppedAndConfirmed() async throws {
        let setup = try ControllerSetup()
        try setup.commitEndpoints(5)
        try await setup.run { setup in
            try await setup.event("Converged")
            let weights = "changed with the removal"
            let commit = try setup.commitEndpoints(2, weights: weights)
            let event = try await setup.event("PruneGuarded", "3 of 5", "martlet confirm \(commit.prefix(10))")
            try await setup.event("Converged", "Endpoint/default/e4 (PruneGuarded)", after: event.sequence)
            // The rest of the commit is carried out.
            #expect(try await setup.serving() == ["e0", "e1", "e2", "e3", "e4"])
            #expect(setup.runtime.calls.filter { $0.hasPrefix("load") }.count == 2)
            var status = try await setup.reconciler.status()
            #expect(status.sync == .outOfSync && status.health == .healthy)
            #expect(status.guarded.map(\.endpoints.count) == [3])
            #expect(try await setup.reconciler.plan().guarded == status.guarded)
            let kept = try await setup.reconciler.resource(ControllerSetup.endpoint("e4"))
            #expect(kept.conditions.contains { $0.type == .blocked && $0.message.contains("martlet confirm") })

            for digits in ["abc", "0000", String(try setup.store.commits(limit: 2)[1].commit.id.prefix(10))] {
                let error = await #expect(throws: MartletError.self) {
                    try await setup.reconciler.confirm(digits, ControllerSetup.someone)
                }
                #expect(["BadRequest", "Conflict"].contains(error?.code))
            }
            let seen = try setup.newestEvent()
            let confirmation = try await setup.reconciler.confirm(
                String(commit.prefix(6)).uppercased(),
                ControllerSetup.someone
            )
            #expect(confirmation.endpoints.map(\.name) == ["e2", "e3", "e4"])
            for name in ["e2", "e3", "e4"] { try await setup.event("Pruned", name, after: seen) }
            try await setup.settled()
            #expect(try await setup.serving() == ["e0", "e1"])
            status = try await setup.reconciler.status()
            #expect(status.sync == .synced && status.guarded.isEmpty)
            #expect(try setup.store.audit(limit: 10).contains { $0.action == "confirm" && $0.actor == Actor("dana") })
            let again = await #expect(throws: MartletError.self) {
                try await setup.reconciler.confirm(String(commit.prefix(10)), ControllerSetup.someone)
            }
            #expect(again?.message.contains("is confirmed already") == true)

            // What was confirmed once is not confirmed for ever.
            try setup.commitEndpoints(5)
            while try await setup.serving().count < 5 { await Task.yield() }
            let later = try setup.commitEndpoints(2)
            try await setup.event("PruneGuarded", "martlet confirm \(later.prefix(10))")
            #expect(try setup.store.facts().confirmations.isEmpty)
        }
    }

    /// What only an unreadable file kept is guarded when that file can be read again, although no manifest changes then.
    @Test func unreadableFileHidesNoMassDeletion() async throws {
        let first = try ControllerSetup()
        try first.commitEndpoints(5)
        try await first.run { _ = try await $0.event("Converged") }
        try first.repository.write("torn.yaml", "a: [unclosed\n")
        try first.commitEndpoints(1)
        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(try await setup.serving() == ["e0", "e1", "e2", "e3", "e4"])
            try setup.repository.remove("torn.yaml")
            let commit = try setup.repository.commit("Remove what is torn")
            try await setup.event("PruneGuarded", "4 of 5", "martlet confirm \(commit.prefix(10))")
            try await setup.settled()
            #expect(try await setup.serving() == ["e0", "e1", "e2", "e3", "e4"])
        }
    }

    @Test func guardAndConfirmationSurviveARestart() async throws {
        let first = try ControllerSetup()
        try first.commitEndpoints(4)
        try await first.run { setup in
            try await setup.event("Converged")
            try setup.commitEndpoints(1)
            try await setup.event("PruneGuarded")
        }
        let second = try ControllerSetup(restarting: first)
        var seen = try second.newestEvent()
        try await second.run { [seen] setup in
            try await setup.event("Converged", after: seen)
            #expect(try await setup.serving() == ["e0", "e1", "e2", "e3"])
            // Killed before the loop could act on it.
            let commit = try setup.repository.head()
            try setup.store.write([
                .confirmPrune(
                    PruneConfirmation(
                        commit: commit,
                        endpoints: (1..<4).map { ControllerSetup.endpoint("e\($0)") },
                        actor: Actor("dana"),
                        reason: "moved",
                        at: setup.wallClock.now()
                    )
                )
            ])
        }
        let third = try ControllerSetup(restarting: second)
        seen = try third.newestEvent()
        try await third.run { [seen] setup in
            try await setup.event("Pruned", "e3", after: seen)
            try await setup.settled()
            #expect(try await setup.serving() == ["e0"])
        }
    }

    /// A later commit is through where it removes nothing that was not confirmed; each asks anew until then.
    @Test func laterCommitAsksAnew() async throws {
        let setup = try ControllerSetup()
        try setup.commitEndpoints(5)
        try await setup.run { setup in
            try await setup.event("Converged")
            let first = try setup.commitEndpoints(2)
            try await setup.event("PruneGuarded", "martlet confirm \(first.prefix(10))")
            let second = try setup.commitEndpoints(1)
            try await setup.event("PruneGuarded", "4 of 5", "martlet confirm \(second.prefix(10))")
            let late = await #expect(throws: MartletError.self) {
                try await setup.reconciler.confirm(String(first.prefix(10)), ControllerSetup.someone)
            }
            #expect(late?.message.contains("martlet confirm \(second.prefix(10))") == true)
            // Some come back: what is left is few enough.
            try setup.commitEndpoints(4)
            try await setup.event("Pruned", "e4")
            while try await setup.reconciler.status().sync != .synced { await Task.yield() }
            #expect(try await setup.serving() == ["e0", "e1", "e2", "e3"])
        }
    }

    @Test func emptiedSourceRemovesNothing() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            try setup.repository.write("desk.yaml", "# moved elsewhere\n")
            try setup.repository.commit("Move everything")
            let event = try await setup.event("PruneGuarded", "declares nothing any more")
            try await setup.event("Converged", after: event.sequence)
            #expect(try await setup.serving() == ["desk"])
        }
    }

    @Test(
        arguments: [
            "apiVersion: martlet.dev/v11", "apiVersion: martlet.dve/v1", "apiVersion: martlet/v1",
            "apiversion: martlet.dev/v1",
            "apiVersion: [", "apiVersion: \"martlet.dev/v1",
        ]
    )
    func typoInOneFileRemovesNothing(_ typo: String) async throws {
        let first = try ControllerSetup()
        let text = try first.commitDesk(extra: ControllerSetup.second)
        #expect(!text.isEmpty)
        let broken = (ControllerSetup.manifest + ControllerSetup.second).replacing(
            "apiVersion: martlet.dev/v1",
            with: typo
        )
        try await first.run { setup in
            try await setup.event("Converged")
            let seen = try setup.newestEvent()
            try setup.repository.write("desk.yaml", broken)
            try setup.repository.commit("A slip")
            try await setup.event("CommitRead", "A slip")
            try await setup.event("Converged", after: seen)
            #expect(try await setup.serving() == ["desk", "second"])
            #expect(try await setup.reconciler.status().sync == .outOfSync)
        }
        // Nor does it after a restart, when nobody remembers what the file said.
        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(try await setup.serving() == ["desk", "second"])
            #expect(!(try setup.store.events(EventQuery(limit: 1000)).contains { $0.reason == "Pruned" }))
        }
    }

    // MARK: Commits that wait

    @Test func manualModeAppliesOnlyWhatAPersonAsksFor() async throws {
        let first = try ControllerSetup(policy: SyncPolicy(mode: .manual))
        let one = try first.commitDesk(weights: "one")
        let two = try await first.runReturning { setup in
            try await setup.event("ManualSync", String(one.prefix(10)))
            #expect(try await setup.serving().isEmpty)
            #expect(await setup.reconciler.obstaclesToReadiness().isEmpty)
            #expect(try await setup.reconciler.status().sync == .outOfSync)
            #expect(try await setup.reconciler.sync(ControllerSetup.someone).id == one)
            try await setup.event("Converged")
            let promoted = try setup.desk().promoted

            let two = try setup.commitDesk(weights: "two")
            try await setup.event("ManualSync", String(two.prefix(10)))
            let status = try await setup.reconciler.status()
            #expect(status.sync == .outOfSync && status.health == .healthy)
            #expect(status.source.commit?.id == one)
            #expect(status.source.waiting?.commit.id == two)
            let proposed = try #require(try await setup.reconciler.plan().proposed.first)
            #expect(proposed.commit.id == two)
            #expect(proposed.plan.steps.contains { $0.action.word == "promote" })
            #expect(try setup.desk().promoted == promoted)
            return two
        }
        // After a restart the commit in force is read again, not the newest.
        let second = try ControllerSetup(restarting: first, policy: SyncPolicy(mode: .manual))
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(try await setup.serving() == ["desk"])
            #expect(try await setup.reconciler.status().source.commit?.id == one)
            #expect(try setup.store.promotions(of: nil, limit: 10).count == 1)
            #expect(try await setup.reconciler.sync(ControllerSetup.someone).id == two)
            try await setup.event("Promoted", after: seen)
            #expect(try setup.store.facts().applied["default"]?.actor == Actor("dana"))

            // And back, to a commit that is not the newest.
            let back = try setup.newestEvent()
            #expect(try await setup.reconciler.sync(to: String(one.prefix(8)), ControllerSetup.someone).id == one)
            try await setup.event("Promoted", after: back)
            #expect(try await setup.reconciler.status().source.waiting?.commit.id == two)
            await #expect(throws: MartletError.self) {
                try await setup.reconciler.sync(to: "nowhere", ControllerSetup.someone)
            }
            #expect(try await setup.reconciler.status().source.condition.status == .yes)
        }
    }

    /// Of two people who ask for different commits at once, each gets the one that was asked for, one after the other.
    @Test func wishesDoNotReplaceEachOther() async throws {
        let setup = try ControllerSetup(policy: SyncPolicy(mode: .manual))
        let commits = try ["one", "two", "three"].map { try setup.commitDesk(weights: $0) }
        try await setup.run { setup in
            for _ in 1...5 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for commit in commits {
                        group.addTask {
                            let id = try await setup.reconciler.sync(to: commit, ControllerSetup.someone).id
                            #expect(id == commit)
                        }
                    }
                    group.addTask {
                        await #expect(throws: MartletError.self) {
                            try await setup.reconciler.sync(to: "nowhere", ControllerSetup.someone)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    /// A hook tells that something was pushed; it decides nothing.
    @Test func hookAppliesNothingInManualMode() async throws {
        let setup = try ControllerSetup(policy: SyncPolicy(mode: .manual))
        let one = try setup.commitDesk(weights: "one")
        try await setup.run { setup in
            try await setup.reconciler.sync(ControllerSetup.someone)
            try await setup.event("Converged")
            try setup.commitDesk(weights: "two")
            #expect(try await setup.reconciler.look(ControllerSetup.someone).id == one)
            #expect(try await setup.reconciler.status().source.waiting != nil)
        }
    }

    @Test func commitWaitsForItsWindow() async throws {
        let setup = try ControllerSetup(policy: SyncPolicy(windows: [try SyncWindow(text: "allow 0 22 * * * 2h")]))
        // It is a quarter past ten in the evening.
        try setup.commitDesk(weights: "one")
        try await setup.run { setup in
            try await setup.event("Converged")
            setup.wallClock.advance(byMilliseconds: 8 * 3_600_000)
            let two = try setup.commitDesk(weights: "two")
            try await setup.event("OutsideSyncWindow", String(two.prefix(10)), "until 2023-11-15T22:00:00Z")
            let refused = await #expect(throws: MartletError.self) {
                try await setup.reconciler.sync(ControllerSetup.someone)
            }
            #expect(refused?.code == "Conflict")
            #expect(refused?.message.contains("the next opening is at 2023-11-15T22:00:00Z") == true)
            // What people decide about what runs needs no window.
            try await setup.reconciler.suspend(.everything, ControllerSetup.someone)
            try await setup.reconciler.resume(.everything, ControllerSetup.someone)

            let seen = try setup.newestEvent()
            // The loop wakes by itself: it sleeps for just so long.
            let rest = Duration.seconds(15 * 3600 + 46 * 60 + 40)
            await setup.clock.waitForSleep(of: rest)
            setup.wallClock.advance(byMilliseconds: Int64(rest / .milliseconds(1)))
            setup.clock.advance(by: rest)
            try await setup.event("CommitRead", after: seen)
            try await setup.event("Promoted", after: seen)
            #expect(try await setup.reconciler.status().source.waiting == nil)
        }
    }

    /// The same answer as to the next one, not the old commit as if it were the newest.
    @Test func syncThatFindsWhatAWindowKeepsWaitingIsRefused() async throws {
        let setup = try ControllerSetup(policy: SyncPolicy(windows: [try SyncWindow(text: "allow 0 22 * * * 2h")]))
        try setup.commitDesk(weights: "one")
        try await setup.run { setup in
            try await setup.event("Converged")
            setup.wallClock.advance(byMilliseconds: 8 * 3_600_000)
            try setup.commitDesk(weights: "two")
            let refused = await #expect(throws: MartletError.self) {
                try await setup.reconciler.sync(ControllerSetup.someone)
            }
            #expect(refused?.code == "Conflict")
            #expect(refused?.message.contains("the next opening is at 2023-11-15T22:00:00Z") == true)
        }
    }

    @Test func automaticModeKeepsToTheNewestCommit() async throws {
        let setup = try ControllerSetup()
        let one = try setup.commitDesk(weights: "one")
        let two = try setup.commitDesk(weights: "two")
        try await setup.run { setup in
            try await setup.event("Converged")
            let error = await #expect(throws: MartletError.self) {
                try await setup.reconciler.sync(to: String(one.prefix(10)), ControllerSetup.someone)
            }
            #expect(error?.message.contains("--sync-mode manual") == true)
            #expect(try await setup.reconciler.sync(to: String(two.prefix(10)), ControllerSetup.someone).id == two)
        }
    }
}

extension ControllerSetup {
    static func endpoint(_ name: String) -> ResourceIdentity {
        ResourceIdentity(.endpoint, namespace: "default", name: name)
    }

    /// Commits this many endpoints on one model.
    @discardableResult
    fileprivate func commitEndpoints(_ count: Int, weights: String = "one") throws -> ObjectID {
        let model = ControllerSetup.manifest.components(separatedBy: "---\n")[0]
        let endpoints = (0..<count).map { ControllerSetup.second.replacing("name: second", with: "name: e\($0)") }
        try self.repository.write("models/desk.jsonl", weights)
        try self.repository.write("all.yaml", model + endpoints.joined())
        return try self.repository.commit("\(count) endpoints, \(weights)")
    }

    /// The endpoints that requests are routed to.
    fileprivate func serving() async throws -> [String] {
        self.runtime.observation.traffic.filter { !$0.value.isEmpty }.keys.map(\.endpoint).sorted()
    }

    fileprivate func runReturning<Value: Sendable>(
        _ body: @escaping @Sendable (ControllerSetup) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await self.reconciler.run()
                return nil
            }
            defer { group.cancelAll() }
            return try await body(self)
        }
    }
}
