import Planning
import Schema
import Synchronization
import TestSupport

@testable import Serving

/// Counts what happens on any thread.
final class Counter: Sendable {
    private let value = Mutex(0)

    var count: Int { self.value.withLock { $0 } }

    func increment() { self.value.withLock { $0 += 1 } }
}

/// A server of one scripted model of tensors, with what it needs.
struct TensorServerFixture: Sendable {
    let clock = ManualClock()
    let control: ScriptedControl
    let calls = AbandonedCalls()
    let failures = Counter()
    let server: TensorModelServer
    private let timers: Timers
    private let workers: TensorWorkers

    private init(_ script: ScriptedTensorEngine.Script, copies: Int, threads: Int) throws {
        let engine = ScriptedTensorEngine(models: ["/m": script])
        guard case .tensor(let model) = try engine.open(ModelOpening(file: "/m")) else { preconditionFailure() }
        self.control = engine.control
        self.timers = Timers(clock: self.clock)
        self.workers = TensorWorkers(limit: threads)
        self.server = TensorModelServer(
            model: model,
            copies: copies,
            workers: self.workers,
            timers: self.timers,
            clock: self.clock,
            abandonedCalls: self.calls,
            onFailure: { [failures] in failures.increment() }
        )
    }

    /// Runs a test against the server, which is closed and must have given everything back afterwards.
    static func run(
        _ script: ScriptedTensorEngine.Script = .identity(.fp32),
        copies: Int = 1,
        threads: Int = 4,
        _ test: @escaping @Sendable (TensorServerFixture) async throws -> Void
    ) async throws {
        let fixture = try TensorServerFixture(script, copies: copies, threads: threads)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await fixture.timers.run() }
            try await test(fixture)
            await fixture.server.close()
            group.cancelAll()
        }
        fixture.workers.close()
        await fixture.control.wait { $0.liveBytes == 0 && $0.sessionsOpened == $0.sessionsClosed }
    }

    /// An input of these rows, each of one number.
    static func rows(_ numbers: Float...) -> Tensor {
        Tensor(name: "x", shape: [numbers.count, 1], elements: numbers)
    }

    /// What the identity makes of them.
    static func echo(_ numbers: Float...) -> [Tensor] {
        [Tensor(name: "y", shape: [numbers.count, 1], elements: numbers)]
    }

    /// Returns when so many requests wait for a run.
    func waitForRequests(_ count: Int) async {
        while self.server.waiting != count { await Task.yield() }
    }

    func ask(
        _ input: Tensor,
        batching: (size: Int, delay: String)? = nil,
        priority: RequestPriority = .normal,
        signal: EndSignal? = nil
    ) async throws -> TensorRunResult {
        let batching: EndpointSpec.Batching? = try batching.map {
            try Specs.decode(["maxSize": .integer(Int64($0.size)), "maxDelay": .string($0.delay)])
        }
        let options = TensorRunOptions(priority: priority, batching: batching, signal: signal)
        return try await self.server.run([input], outputs: [], options: options)
    }
}
