import Controller
import Planning
import Schema
import TestSupport
import Testing

/// The facts' store refuses a write, once or for long: nothing wrong stays behind, and nothing that serves stops.
@Suite(.timeLimit(.minutes(5)))
struct StoreFaultChaosTests {
    /// What is compared: all but times and the ids of commits, which no two runs share.
    struct Outcome: Equatable {
        var promoted: [VariantID: Revision?]
        var earlier: [VariantID: [Revision]]
        var rollouts: Int
        var holds: [String]
        var suspensions: Set<Suspension>
        var crashed: Int
        var unfinishedLoads: Int
        var promotions: [Revision]
        var audit: [String]
        /// How often each thing happened.
        var events: [String: Int]

        init(of store: MemoryControlStore) throws {
            let facts = try store.facts()
            self.promoted = facts.variants.mapValues(\.promoted)
            self.earlier = facts.variants.mapValues(\.earlier)
            self.rollouts = facts.variants.values.count { $0.rollout != nil }
            self.holds = facts.holds.map { "\($0.variant) \($0.revision) \($0.reason)" }
            self.suspensions = facts.suspensions
            self.crashed = facts.crashed.count
            self.unfinishedLoads = try store.unfinishedLoads().count
            self.promotions = try store.promotions(of: nil, limit: 100).map(\.revision)
            self.audit = try store.audit(limit: 100).map { "\($0.action) \($0.subject)" }.sorted()
            let events = try store.events(EventQuery(limit: 1000))
            // What tells of the fault itself is no part of the story.
            self.events = Dictionary(grouping: events.filter { $0.reason != "StateWritable" }) {
                "\($0.reason) \($0.subject.map(\.description) ?? "")"
            }
            .mapValues(\.count)
            #expect(events.map(\.sequence) == (1...Int64(events.count)).map(\.self))
            #expect(try store.verifyAudit().brokenAt == nil)
        }
    }

    /// Commits, rollbacks, a suspension and a removal, each waited for.
    private static func tell(_ setup: ControllerSetup) async throws {
        try setup.commitDesk(extra: ControllerSetup.second)
        try await setup.run { setup in
            try await setup.event("Converged")
            let someone = ControllerSetup.someone
            var seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two", extra: ControllerSetup.second)
            try await setup.event("Converged", after: seen)

            seen = try setup.newestEvent()
            _ = try await self.again { try await setup.reconciler.rollback(ControllerSetup.desk, to: nil, someone) }
            try await setup.event("Promoted", "default/desk", after: seen)
            try await setup.settled()
            seen = try setup.newestEvent()
            try await self.again { try await setup.reconciler.release(ControllerSetup.desk, someone) }
            try await setup.event("Promoted", "default/desk", after: seen)
            try await setup.settled()

            let desk = Suspension.resource(ControllerSetup.desk.resource)
            try await self.again { try await setup.reconciler.suspend(desk, someone) }
            seen = try setup.newestEvent()
            // The other endpoint goes, the suspended one stays as it is.
            try setup.commitDesk(weights: "three")
            try await setup.event("Pruned", "default/second", after: seen)
            try await setup.settled()
            seen = try setup.newestEvent()
            try await self.again { try await setup.reconciler.resume(desk, someone) }
            try await setup.event("Promoted", "default/desk", after: seen)
            try await setup.settled()
        }
    }

    /// A person whose command was refused gives it again.
    private static func again<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as MartletError where ["StateNotWritten", "StateCorrupted"].contains(error.code) {
            return try await body()
        }
    }

    @Test(arguments: [
        MartletError("StateNotWritten", "the disk is full", disposition: .retryable),
        MartletError("StateCorrupted", "a page is damaged"),
    ])
    func everyWriteFailsOnce(fault: MartletError) async throws {
        let undisturbed = try ControllerSetup(waitsAreOver: true)
        try await Self.tell(undisturbed)
        let expected = try Outcome(of: undisturbed.store)
        #expect(expected.holds.isEmpty && expected.promoted.count == 1 && expected.promotions.count == 7)
        for write in 1...undisturbed.store.writeCount {
            let setup = try ControllerSetup(waitsAreOver: true)
            setup.store.failWrite(write, with: fault)
            try await Self.tell(setup)
            #expect(try Outcome(of: setup.store) == expected, "write \(write)")

            let restarted = try ControllerSetup(restarting: setup, waitsAreOver: true)
            let seen = try restarted.newestEvent()
            try await restarted.run { setup in
                try await setup.event("Converged", after: seen)
                let traffic = setup.runtime.observation.traffic[ControllerSetup.desk]
                #expect(traffic?.first?.revision == expected.promoted[ControllerSetup.desk] ?? nil)
            }
            let after = try Outcome(of: restarted.store)
            #expect(after.promoted == expected.promoted && after.promotions == expected.promotions, "write \(write)")
            #expect(after.audit == expected.audit)
        }
    }

    @Test func longOutageStopsNothingThatServes() async throws {
        let setup = try ControllerSetup()
        try setup.commitDesk()
        try await setup.run { setup in
            try await setup.event("Converged")
            let promoted = try setup.desk().promoted
            let (seen, calls) = (try setup.newestEvent(), setup.runtime.calls.count)
            setup.store.refuse(with: MartletError("StateNotWritable", "read-only", disposition: .terminal))
            try setup.commitDesk(weights: "two")
            // A day of it.
            for _ in 0..<24 {
                await setup.clock.waitForSleep(of: .seconds(1))
                setup.wallClock.advance(byMilliseconds: 3_600_000)
                setup.clock.advance(by: .seconds(3600))
            }
            #expect(setup.runtime.calls.count == calls, "nothing is begun that cannot be written down")
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == promoted)
            let refused = await #expect(throws: MartletError.self) {
                try await setup.reconciler.suspend(.everything, ControllerSetup.someone)
            }
            #expect(refused?.code == "StateNotWritable")
            #expect(try setup.store.facts().suspensions.isEmpty)

            await setup.clock.waitForSleep(of: .seconds(1))
            setup.store.refuse(with: nil)
            setup.wallClock.advance(byMilliseconds: 1000)
            setup.clock.advance(by: .seconds(1))
            try await setup.event("Promoted", after: seen)
            #expect(try setup.desk().promoted != promoted)
            #expect(try setup.store.facts().holds.isEmpty)
        }
    }

    /// The mark that is written before a load is refused: no fault of the model.
    @Test func refusedMarkIsNoFailureOfTheLoad() async throws {
        let setup = try ControllerSetup(waitsAreOver: true)
        try setup.commitDesk()
        let store = setup.store
        // The write behind the probe's own is the mark.
        for write in 2...12 { store.failWrite(write, with: MartletError("StateCorrupted", "a page is damaged")) }
        try await setup.run { setup in
            try await setup.event("Promoted")
            try await setup.event("Converged")
            #expect(try setup.store.facts().holds.isEmpty)
            let reasons = Set(try setup.store.events(EventQuery(limit: 1000)).map(\.reason))
            #expect(!reasons.contains("StateCorrupted"))
        }
    }
}
