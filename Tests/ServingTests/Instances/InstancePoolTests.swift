import Planning
import TestSupport
import Testing

@testable import Schema
@testable import Serving

struct InstancePoolTests {
    private func spec(
        options: [String: JSONValue] = [:],
        copies: Int = 1,
        warmUp: [ModelSpec.WarmUp] = []
    ) -> InstanceSpec {
        InstanceSpec(
            model: ResourceIdentity(.model, namespace: "default", name: "desk"),
            engine: "scripted",
            artifact: Artifact(
                location: .repository(path: "models/desk.gguf", blob: String(repeating: "a", count: 40)),
                size: 1
            ),
            options: options,
            warmUp: warmUp,
            copies: copies
        )
    }

    private func load(_ spec: InstanceSpec, of engine: ScriptedEngine, into pool: InstancePool) async throws {
        try await pool.load(spec, opening: ModelOpening(file: "/m.gguf", options: spec.options), engine: engine)
    }

    private func ask(_ model: any CompletionModel, _ text: String = "Hello") async throws -> String {
        let request = CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: text)]))
        return try await Answer(model.complete(request)).text
    }

    @Test("A loaded instance answers through its lease, and is observed with its memory")
    func loadsAndAnswers() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec(copies: 2))
        #expect(throws: MartletError.self) { try pool.lease(spec.key) }
        try await self.load(spec, of: engine, into: pool)
        let lease = try pool.lease(spec.key)
        #expect(try await self.ask(lease) == "Hello")
        #expect(try await lease.embed(["a"]).0.count == 1)
        let expected = InstanceObservation(state: .ready, memoryBytes: 1_020_000, copies: 2, isLeased: true)
        #expect(pool.observe() == [spec.key: expected])
        await pool.shutdown()
        #expect(engine.control.log.liveBytes == 0)
        #expect(pool.observe().isEmpty)
    }

    @Test("However many callers wait, a model is loaded once")
    func singleFlight() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        engine.control.holdLoads()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await self.load(spec, of: engine, into: pool) } }
            await self.wait { pool.observe()[spec.key]?.state == .loading }
            engine.control.releaseLoads()
            try await group.waitForAll()
        }
        #expect(engine.control.log.modelsOpened == 1)
        try await self.load(spec, of: engine, into: pool)
        #expect(engine.control.log.modelsOpened == 1)
        await pool.shutdown()
    }

    @Test("All callers hear why a load failed, and a later load may succeed")
    func failedLoad() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        engine.control.failLoads(with: MartletError("ModelUnreadable", "not a model"))
        let error = await #expect(throws: MartletError.self) { try await self.load(spec, of: engine, into: pool) }
        #expect(error?.code == "ModelUnreadable")
        #expect(pool.observe().isEmpty)
        engine.control.failLoads(with: nil)
        try await self.load(spec, of: engine, into: pool)
        #expect(pool.observe()[spec.key]?.state == .ready)
        await pool.shutdown()
    }

    @Test("A cancelled load is left behind, counted, and closed when it comes late")
    func abandonedLoad() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        engine.control.holdLoads()
        let load = Task { try await self.load(spec, of: engine, into: pool) }
        await self.wait { pool.observe()[spec.key]?.state == .loading }
        load.cancel()
        let error = await #expect(throws: MartletError.self) { try await load.value }
        #expect(error?.code == "LoadAbandoned")
        #expect(pool.observe().isEmpty)
        engine.control.releaseLoads()
        await engine.control.wait { $0.modelsOpened == 1 && $0.liveBytes == 0 }
        #expect(pool.observe().isEmpty)
        await pool.shutdown()
    }

    @Test("When the caller who loads is cancelled, another one who waits takes over")
    func leaderCancelled() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        engine.control.holdLoads()
        let leader = Task { try await self.load(spec, of: engine, into: pool) }
        await self.wait { pool.observe()[spec.key]?.state == .loading }
        async let follower: Void = self.load(spec, of: engine, into: pool)
        leader.cancel()
        await #expect(throws: MartletError.self) { try await leader.value }
        engine.control.releaseLoads()
        try await follower
        #expect(pool.observe()[spec.key]?.state == .ready)
        await pool.shutdown()
        await engine.control.wait { $0.liveBytes == 0 }
    }

    @Test("Nothing is unloaded while it is leased")
    func leases() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        try await self.load(spec, of: engine, into: pool)
        let first = try pool.lease(spec.key)
        var second: InstanceLease? = try pool.lease(spec.key)
        #expect(second?.key == spec.key)
        first.release()
        first.release()
        await pool.unload(spec.key)
        #expect(pool.observe()[spec.key]?.state == .ready)
        second = nil
        await pool.unload(spec.key)
        await pool.unload(spec.key)
        #expect(pool.observe().isEmpty)
        #expect(engine.control.log.liveBytes == 0)
        let error = await #expect(throws: MartletError.self) { try await self.ask(first) }
        #expect(error?.code == "InstanceMissing")
    }

    @Test("The number of copies changes without loading anew")
    func copies() async throws {
        let (pool, engine) = (InstancePool(), ScriptedEngine())
        for copies in [1, 3, 2] {
            let spec = self.spec(copies: copies)
            try await self.load(spec, of: engine, into: pool)
            #expect(pool.observe()[spec.key]?.copies == copies)
        }
        #expect(engine.control.log.modelsOpened == 1)
        #expect(engine.control.log.sessionsOpened == 3)
        await pool.shutdown()
    }

    // MARK: Warm-up

    @Test("Warm-up requests go through before the instance is ready")
    func warmUp() async throws {
        let (pool, engine) = (InstancePool(), ScriptedEngine())
        let spec = self.spec(warmUp: [ModelSpec.WarmUp(prompt: "hello", maxTokens: 3)])
        try await self.load(spec, of: engine, into: pool)
        #expect(engine.control.log.tokensSampled == 3)
        #expect(engine.control.log.samplers.map(\.temperature) == [0])
        try await pool.warmUp(spec)
        #expect(engine.control.log.tokensSampled == 6)
        await pool.shutdown()
    }

    @Test("An instance whose warm-up fails is not ready, and its memory is given back")
    func failedWarmUp() async throws {
        let (pool, engine) = (InstancePool(), ScriptedEngine())
        let spec = self.spec(warmUp: [ModelSpec.WarmUp(prompt: "hello", maxTokens: 3)])
        engine.control.failNextDecode()
        let error = await #expect(throws: MartletError.self) { try await self.load(spec, of: engine, into: pool) }
        #expect(error?.code == "WarmUpFailed")
        #expect(error?.message.contains("'hello'") == true)
        #expect(pool.observe().isEmpty)
        #expect(engine.control.log.liveBytes == 0)
    }

    // MARK: Options

    @Test("The chat template option is Serving's own: the engine does not see it")
    func chatTemplateOption() async throws {
        let pool = InstancePool()
        var engine = ScriptedEngine { .text($0.text) }
        engine.description.chatTemplate = nil
        let spec = self.spec(options: ["chatTemplate": "gemma", "slots": 2])
        try await self.load(spec, of: engine, into: pool)
        let text = try await self.ask(try pool.lease(spec.key), "Hi")
        #expect(text == "<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n")
        await pool.shutdown()
    }

    @Test(
        "A chat template that nobody knows is refused before anything is opened",
        arguments: ["chatlm", 3] as [JSONValue]
    )
    func unknownTemplate(value: JSONValue) async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec(options: ["chatTemplate": value]))
        let error = await #expect(throws: MartletError.self) { try await self.load(spec, of: engine, into: pool) }
        #expect(error?.code == "InvalidOption")
        #expect(engine.control.log.modelsOpened == 0)
    }

    // MARK: Failures

    @Test("An instance that fails by itself is reported at once, and replaced under the same lease")
    func failsAndIsReplaced() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        var changes = pool.changes().makeAsyncIterator()
        try await self.load(spec, of: engine, into: pool)
        let lease = try pool.lease(spec.key)
        for _ in 0...SessionLoop.failuresAllowed {
            engine.control.failNextDecode()
            await #expect(throws: MartletError.self) { try await self.ask(lease) }
        }
        await changes.next()
        let observation = try #require(pool.observe()[spec.key])
        #expect(observation.state == .failed)
        #expect(observation.message.contains("the script says so"))
        let error = await #expect(throws: MartletError.self) { try await self.ask(lease) }
        #expect(error?.code == "InstanceFailed")
        try await self.load(spec, of: engine, into: pool)
        #expect(try await self.ask(lease) == "Hello")
        #expect(engine.control.log.liveBytes == 1_010_000)
        await pool.shutdown()
    }

    @Test("A hung session fails its instance; the next load replaces it and the thread is left behind")
    func hangs() async throws {
        let (pool, engine, spec) = (InstancePool(stepDeadline: .seconds(60)), ScriptedEngine(), self.spec())
        var changes = pool.changes().makeAsyncIterator()
        try await self.load(spec, of: engine, into: pool)
        let lease = try pool.lease(spec.key)
        engine.control.holdDecodes()
        let answer = Task { try await self.ask(lease) }
        await engine.control.wait { $0.batches.count == 1 }
        pool.checkForHangs(now: .zero)
        pool.checkForHangs(now: .seconds(60))
        await changes.next()
        await #expect(throws: MartletError.self) { try await answer.value }
        #expect(pool.observe()[spec.key]?.state == .failed)
        #expect(pool.abandonedCalls == 1)
        engine.control.releaseDecodes()
        try await self.load(spec, of: engine, into: pool)
        #expect(try await self.ask(lease) == "Hello")
        await self.wait { pool.hangingCalls == 0 }
        await pool.shutdown()
        #expect(engine.control.log.liveBytes == 0)
    }

    @Test("One copy that hangs takes the others' work not away")
    func oneCopyHangs() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(slots: 1), self.spec(copies: 2))
        try await self.load(spec, of: engine, into: pool)
        let lease = try pool.lease(spec.key)
        engine.control.holdDecodes()
        let stuck = Task { try await self.ask(lease, "stuck") }
        await engine.control.wait { $0.batches.count == 1 }
        pool.checkForHangs(now: .zero)
        pool.checkForHangs(now: .seconds(60))
        await #expect(throws: MartletError.self) { try await stuck.value }
        engine.control.releaseDecodes()
        #expect(try await self.ask(lease, "fine") == "fine")
        let observation = try #require(pool.observe()[spec.key])
        #expect((observation.state, observation.copies) == (.ready, 1))
        try await self.load(spec, of: engine, into: pool)
        #expect(pool.observe()[spec.key]?.copies == 2)
        #expect(engine.control.log.modelsOpened == 1)
        await pool.shutdown()
    }

    @Test("A pool that was shut down loads nothing any more")
    func afterShutdown() async throws {
        let (pool, engine, spec) = (InstancePool(), ScriptedEngine(), self.spec())
        var changes = pool.changes().makeAsyncIterator()
        await pool.shutdown()
        let error = await #expect(throws: MartletError.self) { try await self.load(spec, of: engine, into: pool) }
        #expect(error?.code == "ShuttingDown")
        #expect(await changes.next() == nil)
    }

    /// Yields until a condition holds that nobody announces.
    private func wait(until isMet: () -> Bool) async {
        while !isMet() { await Task.yield() }
    }
}
