import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// An endpoint without replicas, from the outside.
struct ScaleToZeroTests {
    private static let runner = RunnerKey(EndpointFixture.variant, EndpointFixture.revision(0))

    @Test("At zero nothing is leased, callers wait, and what was unloaded answers when it is back")
    func sleepsAndWakes() async throws {
        try await EndpointFixture.run { _, _ in
            .says(["yes"])
        } _: { fixture, _ in
            let server = fixture.server
            try await fixture.deploy(EndpointFixture.modelGraph())
            #expect(try await fixture.ask("one").text == "yes")
            try await server.scale(Self.runner, replicas: 0)
            // The seat of the answer is given back a moment after its end.
            while await server.observe().instances.values.contains(where: \.isLeased) { await Task.yield() }
            await server.unload(EndpointFixture.instance.key)
            #expect(await server.observe().instances.isEmpty)
            // Routed, not refused: the listing has it too.
            #expect(try server.listing(of: EndpointFixture.name, for: .anonymous).revision == Self.runner.revision)

            var changes = server.changes().makeAsyncIterator()
            _ = await server.observeChanges()
            async let answer = fixture.ask("two")
            await changes.next()
            let seen = await server.observeChanges().runners[Self.runner]
            #expect(seen??.waiting == 1)
            try await server.load(EndpointFixture.instance, opening: ModelOpening(file: "/m.gguf"))
            try await server.scale(Self.runner, replicas: 1)
            #expect(try await answer.text == "yes")
            #expect(server.metrics.replicas == [Self.runner: 1])
        }
    }

    @Test(
        "An endpoint that sleeps says what it is: as it did before, or else it is woken for that",
        arguments: [true, false]
    )
    func tellsOfItselfAsleep(wasAsked: Bool) async throws {
        try await EndpointFixture.run { _, _ in
            .says(["yes"])
        } _: { fixture, model in
            let server = fixture.server
            @Sendable func metadata() async throws -> ModelMetadata {
                try await server.metadata(of: EndpointFixture.name, revision: nil, for: .anonymous)
            }
            try await fixture.deploy(EndpointFixture.modelGraph())
            if wasAsked { _ = try await metadata() }
            try await server.scale(Self.runner, replicas: 0)
            await server.unload(EndpointFixture.instance.key)
            async let found = metadata()
            if !wasAsked {
                while await server.observe().runners[Self.runner]?.waiting != 1 { await Task.yield() }
                try await server.load(EndpointFixture.instance, opening: ModelOpening(file: "/m.gguf"))
                try await server.scale(Self.runner, replicas: 1)
            }
            #expect(try await found.embeddingWidth == model.description.embeddingWidth)
            #expect(await server.observe().runners[Self.runner]?.inFlight == 0)
        }
    }

    @Test("Once a lazy model is loaded, those begin who waited for its first user")
    func wakesAllOfALazyModel() async throws {
        try await EndpointFixture.run { _, _ in
            .waits
        } _: { fixture, model in
            let graph = try EndpointFixture.lazyGraph()
            let instance = graph.models[0].instance
            try await fixture.deploy(graph)
            async let one = fixture.ask("one")
            async let two = fixture.ask("two")
            while await fixture.server.observe().instances[instance.key]?.state != .demanded { await Task.yield() }
            while fixture.server.metrics.queued[Self.runner] != 1 { await Task.yield() }
            try await fixture.server.load(instance, opening: ModelOpening(file: "/m.gguf"))
            var calls = model.calls.makeAsyncIterator()
            let both = [try #require(await calls.next()), try #require(await calls.next())]
            #expect(fixture.server.metrics.queued[Self.runner] == 0)
            for call in both { call.finish() }
            _ = try await (one, two)
        }
    }

    @Test("Demand counts what a variant's traffic brings")
    func tellsDemand() async throws {
        try await EndpointFixture.run { _, _ in
            .waits
        } _: { fixture, model in
            try await fixture.deploy(EndpointFixture.modelGraph())
            let other = VariantID(namespace: "default", endpoint: "other")
            let asked: Set = [EndpointFixture.variant, other]
            #expect(await fixture.server.demand(of: asked)[EndpointFixture.variant] == .nothing)
            async let answer = fixture.ask("one")
            var calls = model.calls.makeAsyncIterator()
            let call = try #require(await calls.next())
            fixture.clock.advance(by: .seconds(2))
            let demand = await fixture.server.demand(of: asked)
            #expect(demand == [EndpointFixture.variant: RequestDemand(steadily: 1), other: .nothing])
            call.say("yes")
            call.finish()
            _ = try await answer
        }
    }
}
