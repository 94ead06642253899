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
