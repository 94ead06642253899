import Planning
import TestSupport
import Testing

@testable import Schema
@testable import Serving

/// Models of tensors are loaded and kept like all others, and asked for no text.
struct TensorModelTests {
    private let engine = ScriptedTensorEngine(models: ["/m.gguf": .identity(.fp32)])

    @Test("A model of tensors is loaded, observed, and given back")
    func isKept() async throws {
        let (pool, spec) = (InstancePool(), EndpointFixture.instance)
        try await pool.load(spec, opening: ModelOpening(file: "/m.gguf"), engine: self.engine)
        let expected = InstanceObservation(state: .ready, memoryBytes: 100_000, copies: 1, isLeased: false)
        #expect(pool.observe() == [spec.key: expected])
        await pool.unload(spec.key)
        #expect(self.engine.control.log.liveBytes == 0)
        #expect(pool.observe().isEmpty)
        await pool.shutdown()
    }

    @Test("It is asked for no text")
    func givesNoText() async throws {
        let (pool, spec) = (InstancePool(), EndpointFixture.instance)
        try await pool.load(spec, opening: ModelOpening(file: "/m.gguf"), engine: self.engine)
        let lease = try pool.lease(spec.key)
        let request = CompletionRequest(prompt: .text("Hello"))
        let words = "this model takes tensors (x FP32 [?, ?]), not text; send them to /v2/models/{model}/infer"
        for (code, ask) in [
            ("CannotGenerate", { _ = try await lease.complete(request) }),
            ("CannotGenerate", { try await lease.answer(request) { _ in } }),
            ("NoEmbeddings", { _ = try await lease.embed(["Hello"]) }),
        ] as [(String, () async throws -> Void)] {
            let error = await #expect(throws: MartletError.self) { try await ask() }
            #expect(error?.code == code)
            #expect(error?.message == words)
        }
        await pool.shutdown()
    }

    @Test("A warm-up of words is refused")
    func knowsNoWarmUp() async throws {
        let pool = InstancePool()
        var spec = EndpointFixture.instance
        spec.warmUp = [ModelSpec.WarmUp(prompt: "hello", maxTokens: 3)]
        let error = await #expect(throws: MartletError.self) {
            try await pool.load(spec, opening: ModelOpening(file: "/m.gguf"), engine: self.engine)
        }
        #expect(error?.code == "WarmUpFailed")
        #expect(error?.disposition == .terminal)
        #expect(error?.message.contains("takes tensors") == true)
        #expect(self.engine.control.log.liveBytes == 0)
        await pool.shutdown()
    }

    @Test("A chain that prompts it is refused when it starts")
    func startsNoPrompt() async throws {
        try await EndpointFixture.run(self.engine) { fixture in
            let chain = await #expect(throws: MartletError.self) {
                try await fixture.server.start(try EndpointFixture.promptGraph(), replicas: 1)
            }
            #expect(chain?.code == "TensorsNotServed")
            #expect(chain?.disposition == .terminal)
            #expect(chain?.message.hasPrefix("step 'a' prompts \(Specs.model), which takes tensors") == true)
            let observation = await fixture.server.observe()
            #expect(observation.runners.isEmpty)
            #expect(observation.instances.values.allSatisfy { !$0.isLeased })
        }
    }

    @Test("An endpoint that serves it answers with tensors, stamped like all answers, and refuses text")
    func isServed() async throws {
        try await EndpointFixture.run(self.engine) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph(3))
            let x = Tensor(name: "x", shape: [2, 2], elements: [1, 2, 3, 4] as [Float])
            let answer = try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [x], outputs: ["y"])))
            #expect(answer.outputs == [Tensor(name: "y", shape: [2, 2], elements: [1, 2, 3, 4] as [Float])])
            #expect(answer.stamp.revision == EndpointFixture.revision(3))
            let text = await #expect(throws: CallError.self) { try await fixture.ask("Hello") }
            #expect(text?.code == .invalidInput)
            let wrong = await #expect(throws: CallError.self) {
                try await fixture.server.tensors(fixture.call(TensorRequest(inputs: [])))
            }
            #expect(wrong?.code == .invalidInput)
            #expect(wrong?.message == "input 'x' is missing; the model takes x FP32 [?, ?]")
        }
    }
}
