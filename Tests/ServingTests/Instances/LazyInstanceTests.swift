import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// Instances that requests have loaded, in a pool that holds two of the scripted engine's models of 100,000 bytes.
@Suite("Lazy instances")
struct LazyInstanceTests {
    private typealias Fixture = LazyFixture

    @Test("A leased instance is not loaded, and not seen, before somebody asks for it; then all who ask share one load")
    func loadsOnDemand() async throws {
        try await Fixture.run { fixture in
            let lease = try fixture.pool.lease(fixture.spec("a"))
            #expect(fixture.pool.observe().isEmpty)
            #expect(fixture.pool.figures.lazy == 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await fixture.ask(lease) } }
                try await group.waitForAll()
            }
            #expect(fixture.opened == 1)
            #expect(fixture.pool.figures.loads == 1)
        }
    }

    @Test("What is in memory is told to people with the time of the last use; what was evicted is not forgotten")
    func uses() async throws {
        try await Fixture.run { fixture in
            let specs = ["a", "b", "c", "d"].map { fixture.spec($0) }
            let leases = try specs.map { try fixture.pool.lease($0) }
            let start = fixture.wallClock.now()
            for lease in leases.prefix(3) {
                try await fixture.ask(lease)
                fixture.wallClock.advance(byMilliseconds: 1000)
            }
            let stranger = fixture.spec("stranger").key
            let uses = fixture.pool.uses(of: Set(specs.map(\.key) + [stranger]))
            #expect(uses[specs[0].key] == InstanceUse(observation: nil, wasLoaded: true, lastUsed: start))
            #expect(uses[specs[1].key]?.lastUsed == start.advanced(byMilliseconds: 1000))
            #expect(uses[specs[2].key]?.observation?.memoryBytes == 101_000)
            #expect(uses[specs[2].key]?.observation?.state == .ready)
            #expect(uses[specs[3].key] == InstanceUse(observation: nil))
            #expect(uses[stranger] == nil)
            _ = try await fixture.pool.beginUse(of: specs[1].key)
            fixture.wallClock.advance(byMilliseconds: 60_000)
            #expect(fixture.pool.uses(of: [specs[1].key])[specs[1].key]?.lastUsed == fixture.wallClock.now())
            fixture.pool.endUse(of: specs[1].key)
        }
    }

    @Test("An eager model is dated by its requests, and not by its warm-up")
    func usesOfEagerOnes() async throws {
        try await Fixture.run { fixture in
            let spec = fixture.spec("e", isLazy: false)
            try await fixture.load(spec)
            try await fixture.pool.warmUp(spec)
            let lease = try fixture.pool.lease(spec)
            #expect(fixture.pool.uses(of: [spec.key])[spec.key]?.lastUsed == nil)
            fixture.wallClock.advance(byMilliseconds: 1000)
            try await fixture.ask(lease)
            #expect(fixture.pool.uses(of: [spec.key])[spec.key]?.lastUsed == fixture.wallClock.now())
        }
    }

    @Test("The least recently used one goes, and is brought back by the pool alone, once for all who ask")
    func swaps() async throws {
        try await Fixture.run { fixture in
            let specs = ["a", "b", "c"].map { fixture.spec($0) }
            let leases = try specs.map { try fixture.pool.lease($0) }
            for lease in leases { try await fixture.ask(lease) }
            #expect(fixture.loaded == [specs[1].key, specs[2].key])
            #expect(fixture.pool.figures.evictions == 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await fixture.ask(leases[0]) } }
                try await group.waitForAll()
            }
            #expect(fixture.loaded == [specs[0].key, specs[2].key])
            #expect(fixture.opened == 4)
            let figures = fixture.pool.figures
            #expect((figures.loads, figures.swapIns.count, figures.evictions) == (3, 1, 2))
            #expect((figures.resident, figures.residentBytes) == (2, 200_000))
        }
    }

    @Test("However requests come, the budget holds and everyone is answered")
    func holdsTheBudget() async throws {
        try await Fixture.run { fixture in
            let leases = try (0..<30).map { try fixture.pool.lease(fixture.spec("\($0)", memory: 100_000)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var random = SeededRandom(seed: UInt64(number))
                        for _ in 0..<60 {
                            try await fixture.ask(random.pick(leases))
                            #expect(fixture.pool.figures.residentBytes <= 250_000)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(fixture.engine.control.log.liveBytes <= 250_000)
        }
    }

    @Test("What a request uses is not evicted: another one waits until it is free")
    func pinsWhatIsUsed() async throws {
        try await Fixture.run { fixture in
            let specs = ["a", "b", "c"].map { fixture.spec($0) }
            let leases = try specs.map { try fixture.pool.lease($0) }
            for lease in leases + [leases[0]] { try await fixture.ask(lease) }
            _ = try await fixture.pool.beginUse(of: specs[0].key)
            _ = try await fixture.pool.beginUse(of: specs[2].key)
            let answer = Task { try await fixture.ask(leases[1]) }
            await fixture.wait { fixture.pool.state.withLock { $0.room != nil } }
            #expect(fixture.loaded.contains(specs[0].key) && fixture.loaded.contains(specs[2].key))
            fixture.pool.endUse(of: specs[2].key)
            try await answer.value
            #expect(fixture.loaded == [specs[0].key, specs[1].key])
            fixture.pool.endUse(of: specs[0].key)
        }
    }

    @Test("Who waits for room too long is told the numbers, and when to try again")
    func givesUp() async throws {
        try await Fixture.run { fixture in
            let specs = ["a", "b", "c"].map { fixture.spec($0) }
            let leases = try specs.map { try fixture.pool.lease($0) }
            for lease in leases { try await fixture.ask(lease) }
            for spec in specs.dropFirst() { _ = try await fixture.pool.beginUse(of: spec.key) }
            let answer = Task { try await fixture.ask(leases[0]) }
            await fixture.wait { fixture.pool.state.withLock { $0.room != nil } }
            await fixture.clock.waitForSleepers(2)
            fixture.clock.advance(by: .seconds(31))
            let error = await #expect(throws: MartletError.self) { try await answer.value }
            let mapped = CallError(mapping: try #require(error))
            #expect(mapped.code == .unavailable)
            #expect(mapped.retryAfter != nil)
            for spec in specs.dropFirst() { fixture.pool.endUse(of: spec.key) }
        }
    }

    @Test("What an eager revision leases stays, and what does not fit beside it is refused with the numbers")
    func keepsEagerOnes() async throws {
        try await Fixture.run(memoryBudget: 150_000, loads: false) { fixture in
            let (eager, lazy) = (fixture.spec("a", isLazy: false), fixture.spec("b"))
            try await fixture.load(eager)
            var claim: InstanceLease? = try fixture.pool.lease(eager)
            var large = lazy
            large.declaredMemory = 100_000
            let lease = try fixture.pool.lease(large)
            let first = Task { try await fixture.ask(lease) }
            await fixture.wait { fixture.pool.observe()[lazy.key]?.state == .demanded }
            await #expect(throws: MartletError.self) { try await fixture.load(large) }
            let error = await #expect(throws: MartletError.self) { try await first.value }
            #expect(error?.message.contains("b takes 97.7 KiB") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("97.7 KiB are taken by models that stay loaded") == true)
            #expect(fixture.loaded == [eager.key])
            // Once no revision wants it all the time, it makes room like any other.
            claim?.release()
            claim = nil
            try await fixture.load(large)
            try await fixture.ask(lease)
            #expect(fixture.loaded == [lazy.key])
        }
    }

    @Test("Requests hear why there is no first load; later ones at once, until it is loaded after all")
    func refuses() async throws {
        try await Fixture.run(loads: false) { fixture in
            let spec = fixture.spec("a")
            let lease = try fixture.pool.lease(spec)
            let first = Task { try await fixture.ask(lease) }
            await fixture.wait { fixture.pool.observe()[spec.key]?.state == .demanded }
            fixture.pool.refuse(spec.key, because: MartletError("NotLoaded", "the engine is missing"))
            let error = await #expect(throws: MartletError.self) { try await first.value }
            #expect(error?.message.contains("the engine is missing") == true)
            let later = await #expect(throws: MartletError.self) { try await fixture.ask(lease) }
            #expect(later?.message == error?.message)
            #expect(fixture.pool.observe()[spec.key]?.state == .failed)
            try await fixture.load(spec)
            try await fixture.ask(lease)
        }
    }

    @Test("One that cannot be brought back is the controller's again")
    func failsToComeBack() async throws {
        try await Fixture.run(loads: false) { fixture in
            let specs = ["a", "b", "c"].map { fixture.spec($0) }
            let leases = try specs.map { try fixture.pool.lease($0) }
            for spec in specs { try await fixture.load(spec) }
            fixture.engine.control.failLoads(with: MartletError("ModelUnreadable", "not a model"))
            let error = await #expect(throws: MartletError.self) { try await fixture.ask(leases[0]) }
            #expect(error?.message.contains("not a model") == true)
            #expect(fixture.pool.observe()[specs[0].key]?.state == .failed)
            #expect(fixture.pool.figures.residentBytes <= 250_000)
            fixture.engine.control.failLoads(with: nil)
            try await fixture.load(specs[0])
            try await fixture.ask(leases[0])
        }
    }

    @Test("Nothing is left of an instance that nobody leases and that is not loaded")
    func forgets() async throws {
        try await Fixture.run { fixture in
            let specs = ["a", "b", "c"].map { fixture.spec($0) }
            let leases = try specs.map { try fixture.pool.lease($0) }
            for lease in leases { try await fixture.ask(lease) }
            for lease in leases { lease.release() }
            #expect(fixture.pool.figures.lazy == 2)
            for spec in specs { await fixture.pool.unload(spec.key) }
            #expect(fixture.pool.figures.lazy == 0)
            #expect(fixture.pool.figures.residentBytes == 0)
        }
    }
}
