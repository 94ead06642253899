import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// Endpoints that serve a model of tensors, as callers see them.
struct TensorEndpointTests {
    private static let input = Tensor(name: "x", shape: [1, 1], elements: [1] as [Float])

    private func run(_ test: @escaping @Sendable (EndpointFixture, ScriptedControl) async throws -> Void) async throws {
        let engine = ScriptedTensorEngine(models: ["/m.gguf": .identity(.fp32)])
        try await EndpointFixture.run(engine) { fixture in
            try await test(fixture, engine.control)
            engine.control.releaseDecodes()
        }
    }

    @Test("A request may take as long as the endpoint and the caller allow", arguments: [nil, 3, 20] as [Int?])
    func timeout(own: Int?) async throws {
        try await self.run { fixture, control in
            let settings: JSONValue = ["limits": ["maxBodyBytes": "1Mi", "timeout": "7s"]]
            try await fixture.deploy(try EndpointFixture.modelGraph(), settings: settings)
            control.holdDecodes()
            let timeout = own.map { Duration.seconds($0) }
            async let outcome = Outcome {
                try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [Self.input], timeout: timeout)))
            }
            await control.wait { $0.runs == 1 }
            let limit = Duration.seconds(min(own ?? 7, 7))
            await fixture.clock.waitForSleep(of: limit)
            fixture.clock.advance(by: limit)
            let error = await outcome.error as? CallError
            #expect(error?.code == .timeout)
            let words = own == 3 ? "it asked for (3.0 seconds)" : "the endpoint allows (7s)"
            #expect(error?.message == "the request took longer than \(words)")
            await control.wait { $0.aborts == 1 }
        }
    }

    @Test("A caller that leaves frees its seat, and the run is given up")
    func callerLeft() async throws {
        try await self.run { fixture, control in
            let graph = try EndpointFixture.modelGraph()
            let runner = RunnerKey(graph.variant, graph.revision)
            try await fixture.deploy(graph)
            control.holdDecodes()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    let call = fixture.call(TensorRequest(inputs: [Self.input]))
                    await #expect(throws: CancellationError.self) { try await fixture.server.tensors(call) }
                }
                await control.wait { $0.runs == 1 }
                #expect(fixture.server.metrics.inFlight[runner] == 1)
                group.cancelAll()
            }
            #expect(fixture.server.metrics.inFlight[runner] == 0)
            await control.wait { $0.aborts == 1 }
        }
    }

    @Test("What a drain interrupts ends with its reason")
    func interrupted() async throws {
        try await self.run { fixture, control in
            let graph = try EndpointFixture.modelGraph()
            try await fixture.deploy(graph)
            control.holdDecodes()
            async let outcome = Outcome {
                try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [Self.input])))
            }
            await control.wait { $0.runs == 1 }
            await fixture.server.stop(RunnerKey(graph.variant, graph.revision))
            #expect((await outcome.error as? CallError)?.code == .interrupted)
        }
    }

    @Test("Time-out and drain end a request also while its lazy model is not loaded", arguments: [true, false])
    func endsBeforeTheLoad(byTime: Bool) async throws {
        try await self.run { fixture, _ in
            let graph = try EndpointFixture.lazyGraph()
            let settings: JSONValue = ["limits": ["maxBodyBytes": "1Mi", "timeout": "7s"]]
            try await fixture.deploy(graph, settings: settings)
            async let outcome = Outcome {
                try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [Self.input])))
            }
            let key = graph.models[0].instance.key
            while await fixture.server.observe().instances[key]?.state != .demanded { await Task.yield() }
            if byTime {
                await fixture.clock.waitForSleep(of: .seconds(7))
                fixture.clock.advance(by: .seconds(7))
            } else {
                await fixture.server.stop(RunnerKey(graph.variant, graph.revision))
            }
            #expect((await outcome.error as? CallError)?.code == (byTime ? .timeout : .interrupted))
        }
    }

    @Test("Batching is a setting: the next request goes by it, and one alone waits no longer than it says")
    func batching() async throws {
        try await self.run { fixture, control in
            let graph = try EndpointFixture.modelGraph()
            try await fixture.deploy(graph)
            let call = fixture.call(TensorRequest(inputs: [Self.input]))
            _ = try await fixture.server.tensors(call)
            let settings = try Specs.settings(["batching": ["maxSize": 3, "maxDelay": "5ms"]])
            await fixture.server.apply(settings, to: graph.variant.resource)
            control.holdDecodes()
            async let one = fixture.server.tensors(call)
            async let two = fixture.server.tensors(call)
            async let three = fixture.server.tensors(call)
            await control.wait { $0.runs == 2 }
            control.releaseDecodes()
            for answer in try await [one, two, three] {
                #expect(answer.outputs == [Tensor(name: "y", shape: [1, 1], elements: [1] as [Float])])
            }
            #expect(control.log.runs == 2)
            // Another time than before, so that it is this request's own timer that is waited for.
            let sooner = try Specs.settings(["batching": ["maxSize": 3, "maxDelay": "3ms"]])
            await fixture.server.apply(sooner, to: graph.variant.resource)
            async let last = fixture.server.tensors(call)
            await fixture.clock.waitForSleep(of: .milliseconds(3))
            fixture.clock.advance(by: .milliseconds(3))
            _ = try await last
            let figures = fixture.server.metrics.subjects[RunnerKey(graph.variant, graph.revision)]?.tensors
            #expect(figures?.run.count == 5)
            #expect(figures?.wait.count == 5)
            #expect(figures?.batchRows.counts.prefix(4) == [1, 0, 1, 0])
        }
    }

    @Test("A call can pin a revision that serves, by its first digits, and no other")
    func pinning() async throws {
        try await self.run { fixture, _ in
            let (one, two) = (try EndpointFixture.modelGraph(1), try EndpointFixture.modelGraph(2))
            try await fixture.deploy(one)
            try await fixture.server.start(two, replicas: 1)
            let shares = [one, two].map { TrafficShare(revision: $0.revision, weight: 50) }
            await fixture.server.setTraffic(shares, for: EndpointFixture.variant)
            for graph in [one, two] {
                var call = fixture.call(TensorRequest(inputs: [Self.input]))
                call.revision = graph.revision.description
                #expect(try await fixture.server.tensors(call).stamp.revision == graph.revision)
                let metadata = try await fixture.server.metadata(
                    of: EndpointFixture.name,
                    revision: graph.revision.digest.hex,
                    for: .anonymous
                )
                #expect(metadata.revision == graph.revision)
                #expect(Set(metadata.versions) == [one.revision, two.revision])
            }
            for wrong in ["", "zz", EndpointFixture.revision(3).description] {
                var call = fixture.call(TensorRequest(inputs: [Self.input]))
                call.revision = wrong
                let outcome = await Outcome { [call] in try await fixture.server.tensors(call) }
                #expect((outcome.error as? CallError)?.code == .revisionNotFound)
            }
        }
    }

    @Test("An endpoint says what it takes, by which engine")
    func metadata() async throws {
        try await self.run { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph(1))
            let metadata = try await fixture.server.metadata(of: EndpointFixture.name, revision: nil, for: .anonymous)
            let expected = ModelMetadata(
                revision: EndpointFixture.revision(1),
                versions: [EndpointFixture.revision(1)],
                engine: "scripted",
                tensors: ScriptedTensorEngine.Script.identity(.fp32).signature,
                generates: false,
                embeddingWidth: nil
            )
            #expect(metadata == expected)
            let unknown = EndpointName(namespace: "default", name: "other")
            let outcome = await Outcome {
                try await fixture.server.metadata(of: unknown, revision: nil, for: .anonymous)
            }
            #expect((outcome.error as? CallError)?.code == .endpointNotFound)
        }
    }

    @Test("A chain gives no tensors, and says that it writes text")
    func chain() async throws {
        try await EndpointFixture.run({ _, _ in .says(["hi"], .stop) }) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.promptGraph())
            let outcome = await Outcome {
                try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [Self.input])))
            }
            #expect((outcome.error as? CallError)?.code == .invalidInput)
            let metadata = try await fixture.server.metadata(of: EndpointFixture.name, revision: nil, for: .anonymous)
            #expect(metadata.engine == "chain")
            #expect(metadata.generates)
            try await fixture.deploy(try EndpointFixture.modelGraph(1))
            let text = await Outcome {
                try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [Self.input])))
            }
            #expect(text.error as? CallError == CallError(.invalidInput, "this model takes text, not tensors"))
        }
    }

    @Test("Readiness names every endpoint that the caller may use, whether it serves or not")
    func readiness() async throws {
        try await self.run { fixture, _ in
            try await fixture.deploy(try EndpointFixture.modelGraph(1))
            let (open, closed) = (
                try Specs.settings(), try Specs.settings(["access": ["anonymous": false, "tenants": []]])
            )
            for (name, settings) in [("away", open), ("secret", closed)] {
                let endpoint = ResourceIdentity(.endpoint, namespace: "default", name: name)
                await fixture.server.apply(settings, to: endpoint)
            }
            let found = fixture.server.readiness(for: .anonymous)
            #expect(found.map(\.name.name) == ["away", "desk"])
            #expect(found.map(\.isReady) == [false, true])
            #expect(found.map(\.revision) == [nil, EndpointFixture.revision(1)])
            #expect(found.map(\.reason.isEmpty) == [false, true])
        }
    }
}
