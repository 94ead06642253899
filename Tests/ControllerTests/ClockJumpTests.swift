import Planning
import Schema
import TestSupport
import Testing

@testable import Controller

/// Somebody sets the wall clock: waits go on as they were, and events keep their order.
@Suite(.timeLimit(.minutes(1)))
struct ClockJumpTests {
    private static let hour: Int64 = 3_600_000
    private static let busy = MartletError("DiskBusy", "the disk is busy", disposition: .retryable)

    @Test(
        arguments: [
            (passed: 0, wall: 0, jump: nil), (passed: 60_000, wall: 60_000, jump: nil),
            (passed: 60_000, wall: 64_000, jump: nil), (passed: 60_000, wall: 56_000, jump: nil),
            (passed: 10 * hour, wall: 10 * hour + 30_000, jump: nil),
            (passed: 1000, wall: hour, jump: hour - 1000), (passed: 1000, wall: -hour, jump: -hour - 1000),
        ] as [(passed: Int64, wall: Int64, jump: Int64?)]
    )
    func watch(passed: Int64, wall: Int64, jump: Int64?) {
        let clock = ManualClock()
        let start = Timestamp(milliseconds: 1_700_000_000_000)
        var watch = ClockWatch(clock, at: start)
        clock.advance(by: .milliseconds(passed))
        let found = watch.jump(at: start.advanced(byMilliseconds: wall))
        let again = watch.jump(at: start.advanced(byMilliseconds: wall))
        #expect(found == jump)
        #expect(again == nil, "a jump is noticed once")
    }

    /// Whatever the wall clock does, a step is tried again after the pause that was drawn for it.
    @Test(arguments: [-5 * hour, -hour / 60, hour / 60, 5 * hour])
    func pauseStaysAsLong(jump: Int64) async throws {
        let setup = try ControllerSetup()
        setup.probe.fail(with: [Self.busy])
        try setup.commitDesk()
        try await setup.run { setup in
            await setup.clock.waitForSleep(of: .milliseconds(250))
            setup.wallClock.advance(byMilliseconds: jump)
            // Anything that wakes the loop lets it look at the clock.
            _ = try await setup.reconciler.sync(ControllerSetup.someone)
            try await setup.event("ClockSet")
            await setup.clock.waitForSleep(of: .milliseconds(250))
            #expect(setup.probe.probes == 1)
            setup.wallClock.advance(byMilliseconds: 250)
            setup.clock.advance(by: .milliseconds(250))
            try await setup.event("Promoted")
            #expect(setup.probe.probes == 2)
            let events = try setup.store.events(EventQuery(limit: 1000))
            #expect(events.map(\.sequence) == (1...Int64(events.count)).map(\.self))
        }
    }

    /// A commit that waits for a certain hour of the day waits by the new time.
    @Test func windowOpensByTheNewTime() async throws {
        let windows = [try SyncWindow(text: "allow 0 22 * * * 2h")]
        let setup = try ControllerSetup(policy: SyncPolicy(windows: windows))
        // It is a quarter past ten in the evening.
        try setup.commitDesk(weights: "one")
        try await setup.run { setup in
            try await setup.event("Converged")
            setup.wallClock.advance(byMilliseconds: 8 * Self.hour)
            try setup.commitDesk(weights: "two")
            try await setup.event("OutsideSyncWindow")
            await setup.clock.waitForSleep(of: .seconds(15 * 3600 + 46 * 60 + 40))
            setup.wallClock.advance(byMilliseconds: 10 * Self.hour)
            _ = try await setup.reconciler.look(ControllerSetup.someone)
            try await setup.event("ClockSet")
            await setup.clock.waitForSleep(of: .seconds(5 * 3600 + 46 * 60 + 40))
        }
    }

    /// A jump forward is no time that a rollout took.
    @Test func jumpForwardIsNoProgressDeadline() async throws {
        let setup = try ControllerSetup()
        setup.probe.fail(with: [Self.busy, Self.busy])
        try setup.commitDesk()
        try await setup.run { setup in
            await setup.clock.waitForSleep(of: .milliseconds(250))
            setup.wallClock.advance(byMilliseconds: 100 * Self.hour)
            _ = try await setup.reconciler.sync(ControllerSetup.someone)
            try await setup.event("ClockSet", "forward by 360000 s")
            await setup.clock.waitForSleep(of: .milliseconds(250))
            setup.wallClock.advance(byMilliseconds: 250)
            setup.clock.advance(by: .milliseconds(250))
            await setup.clock.waitForSleep(of: .milliseconds(500))
            setup.wallClock.advance(byMilliseconds: 500)
            setup.clock.advance(by: .milliseconds(500))
            try await setup.event("Promoted")
            #expect(try setup.store.facts().holds.isEmpty)
        }
    }

    /// Holds and promotions that were dated by a clock that went ahead stand after it was set back.
    @Test func decisionsFromTheFutureStand() async throws {
        let first = try ControllerSetup()
        try first.commitDesk()
        first.wallClock.advance(byMilliseconds: 9 * Self.hour)
        try await first.run { setup in
            try await setup.event("Converged")
            let seen = try setup.newestEvent()
            try setup.commitDesk(weights: "two")
            try await setup.event("Converged", after: seen)
            _ = try await setup.reconciler.rollback(ControllerSetup.desk, to: nil, ControllerSetup.someone)
            try await setup.event("Promoted", after: try setup.newestEvent() - 1)
            try await setup.settled()
        }
        let (holds, promoted) = (try first.store.facts().holds, try first.desk().promoted)
        let second = try ControllerSetup(restarting: first)
        let seen = try second.newestEvent()
        try await second.run { setup in
            try await setup.event("Converged", after: seen)
            #expect(try setup.store.facts().holds == holds)
            #expect(setup.runtime.observation.traffic[ControllerSetup.desk]?.first?.revision == promoted)
            #expect(try setup.store.commits(limit: 1).first?.commit.subject == "weights two")
        }
    }

    @Test func queueMovesWithTheClock() {
        var queue = WorkQueue(backoff: Backoff(first: 100, longest: 1000))
        let key = StepAction.loadKey(of: InstanceKey(Digest(of: "instance".utf8)))
        let now = Timestamp(milliseconds: 1_000_000)
        queue.fail(key, Self.busy, at: now, jitter: 1)
        queue.shift(byMilliseconds: -Self.hour)
        #expect(queue.failures[key]?.retryAt.milliseconds == 1_000_100 - Self.hour)
        #expect(queue.failures[key]?.firstAt.milliseconds == 1_000_000 - Self.hour)
    }
}
