import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// A pool that holds two of the scripted engine's models of 100,000 bytes, with somebody who loads what is demanded as a
/// controller would.
struct LazyFixture: Sendable {
    let clock = ManualClock()
    let wallClock = ManualWallClock()
    let engine = ScriptedTensorEngine(models: ["/m.onnx": .identity(.fp32)])
    let pool: InstancePool

    init(memoryBudget: Int64? = 250_000) {
        self.pool = InstancePool(memoryBudget: memoryBudget, clock: self.clock, wallClock: self.wallClock)
    }

    static func run(
        memoryBudget: Int64? = 250_000,
        loads: Bool = true,
        _ test: @escaping @Sendable (LazyFixture) async throws -> Void
    ) async throws {
        let fixture = LazyFixture(memoryBudget: memoryBudget)
        let changes = fixture.pool.changes()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await fixture.pool.runTasks() }
            group.addTask {
                for await _ in changes where loads { try? await fixture.loadDemanded() }
            }
            try await test(fixture)
            group.cancelAll()
        }
        await fixture.pool.shutdown()
        #expect(fixture.engine.control.log.liveBytes == 0)
    }

    func spec(_ name: String, isLazy: Bool = true, memory: Int64? = nil) -> InstanceSpec {
        InstanceSpec(
            model: ResourceIdentity(.model, namespace: "default", name: name),
            engine: "scripted",
            artifact: Artifact(location: .repository(path: "\(name).onnx", blob: ObjectID(name)), size: 1),
            declaredMemory: memory,
            isLazy: isLazy
        )
    }

    func load(_ spec: InstanceSpec) async throws {
        try await self.pool.load(spec, opening: ModelOpening(file: "/m.onnx"), engine: self.engine)
    }

    func loadDemanded() async throws {
        for (key, seen) in self.pool.observe() where seen.state == .demanded || seen.state == .failed {
            guard let spec = self.pool.state.withLock({ $0.entries[key]?.spec }) else { continue }
            try await self.load(spec)
        }
    }

    func ask(_ lease: InstanceLease, signal: EndSignal? = nil) async throws {
        let x = Tensor(name: "x", shape: [1, 1], elements: [Float(1)])
        let result = try await lease.run([x], outputs: [], options: TensorRunOptions(signal: signal))
        #expect(result.outputs.map(\.name) == ["y"])
    }

    var loaded: Set<InstanceKey> { Set(self.pool.observe().filter { $0.value.state == .ready }.keys) }
    /// Requests that use an instance or wait for it; nil where nothing is known of it.
    func uses(of spec: InstanceSpec) -> Int? { self.pool.state.withLock { $0.entries[spec.key]?.uses } }

    var opened: Int { self.engine.control.log.modelsOpened }

    func wait(until isMet: () -> Bool) async {
        while !isMet() { await Task.yield() }
    }
}
