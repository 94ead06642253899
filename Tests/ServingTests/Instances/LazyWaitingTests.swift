import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// Requests that wait for an instance, and what ends that: a signal, the controller, an eager co-user, the end of all.
struct LazyWaitingTests {
    private typealias Fixture = LazyFixture

    @Test("A request's signal ends its wait for a load, for its reason, and nothing counts it as a user any more")
    func signals() async throws {
        try await Fixture.run(loads: false) { fixture in
            let spec = fixture.spec("a")
            let (lease, signal) = (try fixture.pool.lease(spec), EndSignal())
            let answer = Task { try await fixture.ask(lease, signal: signal) }
            await fixture.wait { fixture.pool.observe()[spec.key]?.state == .demanded }
            signal.end(.timedOut)
            await #expect(throws: EarlyEnd.timedOut) { try await answer.value }
            #expect(fixture.uses(of: spec) == 0)
            // Whoever has not been ended waits on, and is answered.
            let other = Task { try await fixture.ask(lease, signal: EndSignal()) }
            await fixture.wait { fixture.uses(of: spec) == 1 }
            try await fixture.load(spec)
            try await other.value
        }
    }

    @Test("Whoever waits for a first load that is called off hears of it at once")
    func unloadedBeforeItsLoad() async throws {
        try await Fixture.run(loads: false) { fixture in
            let spec = fixture.spec("a")
            let lease = try fixture.pool.lease(spec)
            let answer = Task { try await fixture.ask(lease) }
            await fixture.wait { fixture.pool.observe()[spec.key]?.state == .demanded }
            lease.release()
            await fixture.pool.unload(spec.key)
            let error = await #expect(throws: MartletError.self) { try await answer.value }
            #expect(error?.code == "ModelNotLoaded")
            #expect(fixture.pool.figures.lazy == 0)
        }
    }

    @Test("What is unloaded under a request is not counted as unused before that request has ended")
    func unloadedInUse() async throws {
        try await Fixture.run { fixture in
            let spec = fixture.spec("a")
            let old = try fixture.pool.lease(spec)
            _ = try await fixture.pool.beginUse(of: spec.key)
            old.release()
            await fixture.pool.unload(spec.key)
            #expect(fixture.uses(of: spec) == 1)
            #expect(fixture.pool.figures.residentBytes == 0)
            let new = try fixture.pool.lease(spec)
            try await fixture.ask(new)
            #expect(fixture.uses(of: spec) == 1)
            fixture.pool.endUse(of: spec.key)
            #expect(fixture.uses(of: spec) == 0)
        }
    }

    @Test("The end of the pool is told to those who wait for a load, be it asked of the controller or of the pool")
    func shutdown() async throws {
        // Nobody carries out loads here.
        let fixture = Fixture()
        let specs = ["a", "b", "c"].map { fixture.spec($0) }
        let leases = try specs.map { try fixture.pool.lease($0) }
        for spec in specs.dropFirst() { try await fixture.load(spec) }
        let demanding = Task { try await fixture.ask(leases[0]) }
        await fixture.wait { fixture.pool.observe()[specs[0].key]?.state == .demanded }
        await fixture.pool.settle(specs[2], takes: 200_000)
        let bringingBack = Task { try await fixture.ask(leases[1]) }
        await fixture.wait { fixture.pool.observe()[specs[1].key]?.state == .loading }
        await fixture.pool.shutdown()
        for answer in [demanding, bringingBack] {
            let error = await #expect(throws: MartletError.self) { try await answer.value }
            #expect(error?.description.contains("shutting down") == true, "\(error?.description ?? "")")
        }
    }

    @Test("A lazy request waits while an eager co-user of its key loads")
    func waitsForAnEagerLoad() async throws {
        try await Fixture.run(loads: false) { fixture in
            let (lazy, eager) = (fixture.spec("a"), fixture.spec("a", isLazy: false))
            let lease = try fixture.pool.lease(lazy)
            fixture.engine.control.holdLoads()
            let load = Task { try await fixture.load(eager) }
            await fixture.wait { fixture.pool.observe()[lazy.key]?.state == .loading }
            let answer = Task { try await fixture.ask(lease) }
            await fixture.wait { fixture.uses(of: lazy) == 1 }
            fixture.engine.control.releaseLoads()
            try await answer.value
            try await load.value
            #expect(fixture.opened == 1)
        }
    }

    @Test("What was loaded for an eager revision that never came is evicted like any other where a lazy one shares it")
    func forgetsAnEagerUser() async throws {
        try await Fixture.run { fixture in
            let leases = try ["a", "b", "c"].map { try fixture.pool.lease(fixture.spec($0)) }
            try await fixture.load(fixture.spec("a", isLazy: false))
            for lease in leases.dropFirst() { try await fixture.ask(lease) }
            #expect(fixture.loaded == Set(leases.dropFirst().map(\.key)))
        }
    }
}
