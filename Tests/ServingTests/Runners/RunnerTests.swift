import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

struct RunnerTests {
    private let clock = ManualClock()

    /// How many leases stand.
    private final class Leases: Sendable {
        let count = Mutex(0)

        func make() -> LeasedModels {
            self.count.withLock { $0 += 1 }
            return LeasedModels(models: [Specs.model: ScriptedCompletion { _, _ in .waits }]) {
                self.count.withLock { $0 -= 1 }
            }
        }

        var now: Int { self.count.withLock { $0 } }
    }

    private func runner(
        capacity: Int = 1,
        replicas: Int = 1,
        leases: Leases = Leases(),
        onIdle: @escaping @Sendable () -> Void = {}
    ) throws -> Runner {
        let graph = RevisionGraph(
            variant: VariantID(namespace: "default", endpoint: "desk"),
            revision: Revision(Digest(of: [1])),
            commit: "c",
            serve: try Specs.decode(["model": "m"]),
            chat: nil,
            chains: [],
            templates: [],
            models: []
        )
        let runner = Runner(
            graph,
            capacity: capacity,
            clock: self.clock,
            lease: { _ in leases.make() },
            onIdle: onIdle
        )
        try runner.resize(to: replicas)
        runner.becomeReady()
        return runner
    }

    @Test("a request waits for its turn and gets the seat that another one leaves")
    func turn() async throws {
        let runner = try self.runner()
        let first = try #require(try await runner.seat())
        async let second = runner.seat()
        await self.clock.waitForSleep(of: .seconds(30))
        #expect(runner.queued == 1)
        runner.leave(first.request)
        #expect(try await second != nil)
        #expect(runner.observation.inFlight == 1)
    }

    @Test("a full queue refuses, and says when to come again")
    func full() async throws {
        let runner = try self.runner()
        _ = try await runner.seat()
        let error = await #expect(throws: CallError.self) { try await runner.seat(limit: 0) }
        #expect(error?.code == .queueFull)
        #expect(error?.retryAfter == 1)
    }

    @Test("waiting ends with the patience, and frees the place")
    func patience() async throws {
        let runner = try self.runner()
        _ = try await runner.seat()
        async let waiting = Outcome { try await runner.seat() }
        await self.clock.waitForSleep(of: .seconds(30))
        self.clock.advance(by: .seconds(30))
        let error = await waiting.error as? CallError
        #expect(error?.code == .queueTimeout)
        #expect(runner.queued == 0)
    }

    @Test("a caller who leaves gives the place in the queue back")
    func cancelled() async throws {
        let runner = try self.runner()
        _ = try await runner.seat()
        await withTaskGroup { group in
            group.addTask { _ = try? await runner.seat() }
            await self.clock.waitForSleep(of: .seconds(30))
            group.cancelAll()
        }
        #expect(runner.queued == 0)
        #expect(runner.observation.inFlight == 1)
    }

    @Test("draining sends the waiting on, waits for the seated, and tells when it is idle")
    func drain() async throws {
        let (idle, idleness) = AsyncStream<Void>.makeStream()
        let runner = try self.runner { idleness.yield() }
        let seat = try #require(try await runner.seat())
        async let waiting = runner.seat()
        await self.clock.waitForSleep(of: .seconds(30))
        async let drained: Void = runner.drain(timeout: .seconds(10))
        #expect(try await waiting == nil)
        #expect(runner.observation.state == .draining)
        runner.leave(seat.request)
        await drained
        for await _ in idle { break }
        #expect(runner.observation.state == .drained)
        await runner.drain(timeout: .seconds(10))
    }

    @Test("what is left after the drain time-out is interrupted")
    func drainTimeout() async throws {
        let runner = try self.runner(capacity: 2)
        let (left, gone) = (try #require(try await runner.seat()), try #require(try await runner.seat()))
        async let drained: Void = runner.drain(timeout: .seconds(10))
        await self.clock.waitForSleep(of: .seconds(10))
        runner.leave(gone.request)
        self.clock.advance(by: .seconds(10))
        await drained
        #expect(await left.signal.wait() == .interrupted)
        #expect(runner.observation.inFlight == 1)
    }

    @Test("a runner that is started again while it drains interrupts nobody")
    func restart() async throws {
        let runner = try self.runner()
        let seat = try #require(try await runner.seat())
        async let drained: Void = runner.drain(timeout: .seconds(10))
        await self.clock.waitForSleep(of: .seconds(10))
        runner.restart()
        await drained
        runner.becomeReady()
        self.clock.advance(by: .seconds(20))
        seat.signal.end(.callerLeft)
        #expect(await seat.signal.wait() == .callerLeft)
        #expect(runner.observation.state == .ready)
    }

    @Test("every replica holds a lease, given back when it is retired or the runner stops")
    func leases() async throws {
        let leases = Leases()
        let runner = try self.runner(replicas: 3, leases: leases)
        #expect(leases.now == 3)
        let seats = [try await runner.seat(), try await runner.seat(), try await runner.seat()]
        try runner.resize(to: 1)
        #expect(leases.now == 3)
        for seat in seats { runner.leave(try #require(seat).request) }
        #expect(leases.now == 1)
        runner.stop()
        #expect(leases.now == 0)
        #expect(runner.observation.state == .drained)
    }
}
