import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// Runners without replicas, and how much there is to do.
struct RunnerDemandTests {
    private let clock = ManualClock()

    /// What a runner has told, and how many leases stand.
    private final class Log: Sendable {
        let leases = Mutex(0)
        let idle = Mutex(0)
        let awaited = Mutex(0)

        func lease() -> LeasedModels {
            self.leases.withLock { $0 += 1 }
            return LeasedModels(models: [:]) { self.leases.withLock { $0 -= 1 } }
        }

        var counts: [Int] {
            [self.leases.withLock { $0 }, self.idle.withLock { $0 }, self.awaited.withLock { $0 }]
        }
    }

    private func runner(replicas: Int, capacity: Int = 1, _ log: Log = Log()) throws -> Runner {
        let runner = Runner(
            try EndpointFixture.modelGraph(),
            capacity: capacity,
            clock: self.clock,
            lease: { _ in log.lease() },
            onIdle: { log.idle.withLock { $0 += 1 } },
            onAwaited: { log.awaited.withLock { $0 += 1 } }
        )
        try runner.resize(to: replicas)
        runner.becomeReady()
        return runner
    }

    /// Waits until so many requests wait for their turn.
    private func waiters(_ count: Int) async {
        await self.clock.wait { $0.count { $0 == .seconds(30) } == count }
    }

    @Test("Without replicas requests wait, the first one tells, and the first replica answers them in order")
    func wakes() async throws {
        let log = Log()
        let runner = try self.runner(replicas: 0, log)
        #expect(log.counts == [0, 0, 0])
        async let first = runner.seat()
        await self.waiters(1)
        async let second = runner.seat()
        await self.waiters(2)
        #expect(runner.observation.waiting == 2)
        #expect(log.counts == [0, 0, 1])
        try runner.resize(to: 1)
        let seat = try #require(try await first)
        #expect(runner.observation.waiting == 0)
        #expect(runner.queued == 1)
        runner.leave(seat.request)
        #expect(try await second != nil)
    }

    @Test("Whoever wakes a runner finds room, however short the queue is")
    func aQueueOfNoLengthWakes() async throws {
        let runner = try self.runner(replicas: 0)
        async let first = runner.seat(limit: 0)
        await self.waiters(1)
        let error = await #expect(throws: CallError.self) { try await runner.seat(limit: 0) }
        #expect(error?.code == .queueFull)
        try runner.resize(to: 1)
        #expect(try await first != nil)
    }

    @Test("Patience ends also where there never is a replica")
    func patienceEnds() async throws {
        let runner = try self.runner(replicas: 0)
        let error = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                await #expect(throws: CallError.self) { try await runner.seat() }
            }
            await self.waiters(1)
            self.clock.advance(by: .seconds(30))
            return await group.next() ?? nil
        }
        #expect((error as? CallError)?.code == .queueTimeout)
        #expect(runner.observation.waiting == 0)
    }

    @Test("The last replica finishes what it has, then its leases go back and that is told")
    func sleepsWhenDone() async throws {
        let log = Log()
        let runner = try self.runner(replicas: 1, log)
        let seat = try #require(try await runner.seat())
        try runner.resize(to: 0)
        #expect(runner.observation.replicas == 0 && runner.observation.inFlight == 1)
        #expect(log.counts == [1, 0, 0])
        runner.leave(seat.request)
        #expect(log.counts == [0, 1, 0])
    }

    @Test("Requests that wait when the last replica goes are told of")
    func tellsOfWaitersThatAreLeft() async throws {
        let log = Log()
        let runner = try self.runner(replicas: 1, log)
        let seat = try #require(try await runner.seat())
        async let second = runner.seat()
        await self.waiters(1)
        try runner.resize(to: 0)
        #expect(log.awaited.withLock { $0 } == 1)
        try runner.resize(to: 1)
        #expect(try await second != nil)
        runner.leave(seat.request)
    }

    @Test("Demand is averaged over time, queue included, from the first time that somebody asks")
    func averages() async throws {
        let runner = try self.runner(replicas: 1, capacity: 2)
        #expect(runner.takeDemand() == RequestDemand(average: 0, now: 0))
        let first = try #require(try await runner.seat())
        self.clock.advance(by: .seconds(1))
        let second = try #require(try await runner.seat())
        async let third = runner.seat()
        await self.waiters(1)
        self.clock.advance(by: .seconds(3))
        // One request for a second, three for three.
        #expect(runner.takeDemand() == RequestDemand(average: 2.5, now: 3))
        runner.leave(first.request)
        let seat = try #require(try await third)
        runner.leave(second.request)
        runner.leave(seat.request)
        self.clock.advance(by: .seconds(1))
        #expect(runner.takeDemand() == RequestDemand(average: 0, now: 0))
        #expect(runner.takeDemand() == RequestDemand(average: 0, now: 0))
    }
}
