import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// Requests of one model: alone, put together, and given up.
struct TensorModelServerTests {
    private typealias Fixture = TensorServerFixture

    /// Gives `x` back as `y`; fails for a negative number, as a model that looks rows up in a table does.
    private static let picky = ScriptedTensorEngine.Script(
        signature: ScriptedTensorEngine.Script.identity(.fp32).signature
    ) { inputs, _ in
        let numbers = inputs["x"]?.elements(as: Float.self) ?? []
        if let bad = numbers.first(where: { $0 < 0 }) { throw MartletError("RunFailed", "there is no row \(bad)") }
        return inputs["x"].map { ["y": $0] } ?? [:]
    }

    /// Adds all rows up to one.
    private static let sum = ScriptedTensorEngine.Script(
        signature: ScriptedTensorEngine.Script.identity(.fp32).signature
    ) { inputs, _ in
        let sum = (inputs["x"]?.elements(as: Float.self) ?? []).reduce(0, +)
        return ["y": Tensor(name: "y", shape: [1, 1], elements: [sum])]
    }

    /// Gives each number as many times as it says.
    private static let repeated = ScriptedTensorEngine.Script(
        signature: ScriptedTensorEngine.Script.identity(.fp32).signature
    ) { inputs, _ in
        let numbers = (inputs["x"]?.elements(as: Float.self) ?? []).flatMap { Array(repeating: $0, count: Int($0)) }
        return ["y": Tensor(name: "y", shape: [numbers.count, 1], elements: numbers)]
    }

    @Test("A request runs at once, alone, on a session that the next one uses too")
    func alone() async throws {
        try await Fixture.run { fixture in
            for number in 0..<5 {
                let result = try await fixture.ask(Fixture.rows(Float(number)))
                #expect(result.outputs == Fixture.echo(Float(number)))
                #expect(result.batchRows == nil)
            }
            #expect(fixture.control.log.sessionsOpened == 1)
            #expect(fixture.control.log.runs == 5)
        }
    }

    @Test("As many run at once as there are copies")
    func copies() async throws {
        try await Fixture.run(copies: 2) { fixture async throws in
            fixture.control.holdDecodes()
            async let one = fixture.ask(Fixture.rows(1)).outputs
            async let two = fixture.ask(Fixture.rows(2)).outputs
            await fixture.control.wait { $0.runs == 2 }
            async let three = fixture.ask(Fixture.rows(3)).outputs
            await fixture.waitForRequests(1)
            #expect(fixture.control.log.runs == 2)
            fixture.control.releaseDecodes()
            #expect(try await [one, two, three] == [Fixture.echo(1), Fixture.echo(2), Fixture.echo(3)])
            #expect(fixture.control.log.sessionsOpened == 2)
        }
    }

    @Test("Requests that come together run together, and each gets its own rows")
    func together() async throws {
        try await Fixture.run { fixture in
            let batching = (size: 4, delay: "2ms")
            async let one = fixture.ask(Fixture.rows(1), batching: batching)
            await fixture.clock.waitForSleep(of: .milliseconds(2))
            async let two = fixture.ask(Fixture.rows(2, 3), batching: batching)
            await fixture.waitForRequests(2)
            fixture.clock.advance(by: .milliseconds(2))
            let (first, second) = try await (one, two)
            #expect(first.outputs == Fixture.echo(1))
            #expect(second.outputs == Fixture.echo(2, 3))
            #expect(first.waited == .milliseconds(2))
            #expect([first.batchRows, second.batchRows] == [3, nil])
            #expect(fixture.control.log.runs == 1)
        }
    }

    @Test("A full batch does not wait for the time")
    func full() async throws {
        try await Fixture.run { fixture async throws in
            async let one = fixture.ask(Fixture.rows(1), batching: (2, "1h"))
            async let two = fixture.ask(Fixture.rows(2), batching: (2, "1h"))
            #expect(try await [one.outputs, two.outputs] == [Fixture.echo(1), Fixture.echo(2)])
            #expect(fixture.control.log.runs == 1)
        }
    }

    @Test("A request that a model fails on spoils no other in its batch")
    func badNeighbour() async throws {
        try await Fixture.run(Self.picky) { fixture async throws in
            async let good = fixture.ask(Fixture.rows(1), batching: (3, "1h"))
            async let bad = Outcome { try await fixture.ask(Fixture.rows(-1), batching: (3, "1h")) }
            async let other = fixture.ask(Fixture.rows(2), batching: (3, "1h"))
            #expect(try await good.outputs == Fixture.echo(1))
            #expect(try await other.outputs == Fixture.echo(2))
            #expect((await bad.error as? MartletError)?.message == "there is no row -1.0")
            // Together, and then each alone.
            #expect(fixture.control.log.runs == 4)
            #expect(fixture.server.readyCopies == 1)
        }
    }

    @Test("A request that does not fit the model never joins others")
    func misfit() async throws {
        try await Fixture.run { fixture in
            let wrong = Tensor(name: "x", shape: [1, 1], elements: [1] as [Int64])
            let outcome = await Outcome { try await fixture.ask(wrong, batching: (2, "1h")) }
            #expect((outcome.error as? MartletError)?.code == "TensorInvalid")
            #expect(fixture.server.waiting == 0)
        }
    }

    @Test("A model that gives other rows than it gets is asked one by one, at once the next time")
    func notRowWise() async throws {
        try await Fixture.run(Self.sum) { fixture async throws in
            async let one = fixture.ask(Fixture.rows(1, 2), batching: (3, "1h"))
            async let two = fixture.ask(Fixture.rows(5), batching: (3, "1h"))
            #expect(try await [one.outputs, two.outputs] == [Fixture.echo(3), Fixture.echo(5)])
            #expect(fixture.control.log.runs == 3)
            #expect(try await fixture.ask(Fixture.rows(7), batching: (3, "1h")).outputs == Fixture.echo(7))
        }
    }

    @Test("A run of one request too shows that a model's rows are not its inputs' rows: others that wait run alone")
    func refutedAlone() async throws {
        try await Fixture.run(Self.repeated) { fixture async throws in
            fixture.control.holdDecodes()
            async let first = fixture.ask(Fixture.rows(2)).outputs
            await fixture.control.wait { $0.runs == 1 }
            // Together they have as many rows as went in, which are not theirs.
            async let none = fixture.ask(Fixture.rows(0), batching: (2, "1h")).outputs
            async let two = fixture.ask(Fixture.rows(2), batching: (2, "1h")).outputs
            await fixture.waitForRequests(2)
            fixture.control.releaseDecodes()
            #expect(try await first == Fixture.echo(2, 2))
            #expect(try await none == Fixture.echo())
            #expect(try await two == Fixture.echo(2, 2))
            #expect(try await fixture.ask(Fixture.rows(1), batching: (2, "1h")).batchRows == nil)
        }
    }

    @Test("The background waits for everybody else")
    func priorities() async throws {
        try await Fixture.run { fixture in
            fixture.control.holdDecodes()
            let order = Order()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await fixture.ask(Fixture.rows(0)) }
                await fixture.control.wait { $0.runs == 1 }
                group.addTask { order.add("late", try await fixture.ask(Fixture.rows(1), priority: .background)) }
                await fixture.waitForRequests(1)
                group.addTask { order.add("soon", try await fixture.ask(Fixture.rows(2))) }
                await fixture.waitForRequests(2)
                fixture.control.holdDecodes(after: 2)
                await fixture.control.wait { $0.runs == 3 }
                while order.names.isEmpty { await Task.yield() }
                #expect(order.names == ["soon"])
                fixture.control.releaseDecodes()
                try await group.waitForAll()
            }
        }
    }

    @Test("A caller that leaves ends its run, and its session with it; one that waits is only forgotten")
    func cancelling() async throws {
        try await Fixture.run { fixture async throws in
            fixture.control.holdDecodes()
            let running = Task { try await fixture.ask(Fixture.rows(1)) }
            await fixture.control.wait { $0.runs == 1 }
            let waiting = Task { try await fixture.ask(Fixture.rows(2)) }
            await fixture.waitForRequests(1)
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(fixture.control.log.aborts == 0)
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            await fixture.control.wait { $0.sessionsClosed == 1 }
            fixture.control.releaseDecodes()
            #expect(try await fixture.ask(Fixture.rows(3)).outputs == Fixture.echo(3))
            #expect(fixture.control.log.sessionsOpened == 2)
            #expect(fixture.failures.count == 0)
        }
    }

    @Test("A batch goes on while anybody wants it")
    func leavingABatch() async throws {
        try await Fixture.run { fixture async throws in
            fixture.control.holdDecodes()
            let leaver = Task { try await fixture.ask(Fixture.rows(1), batching: (2, "1h")) }
            await fixture.waitForRequests(1)
            async let stayer = fixture.ask(Fixture.rows(2), batching: (2, "1h"))
            await fixture.control.wait { $0.runs == 1 }
            leaver.cancel()
            await #expect(throws: CancellationError.self) { try await leaver.value }
            fixture.control.releaseDecodes()
            #expect(try await stayer.outputs == Fixture.echo(2))
            #expect(fixture.control.log.aborts == 0)
        }
    }

    @Test("A signal ends a request for its reason, be it before or after the request came", arguments: [true, false])
    func signals(comesFirst: Bool) async throws {
        try await Fixture.run { fixture in
            fixture.control.holdDecodes()
            let signal = EndSignal()
            if comesFirst { signal.end(.interrupted) }
            async let outcome = Outcome { try await fixture.ask(Fixture.rows(1), signal: signal) }
            if !comesFirst {
                await fixture.control.wait { $0.runs == 1 }
                signal.end(.interrupted)
            }
            #expect(await outcome.error as? EarlyEnd == .interrupted)
            fixture.control.releaseDecodes()
        }
    }
}

/// Names in the order in which their answers came.
private final class Order: Sendable {
    private let state = Mutex<[String]>([])

    var names: [String] { self.state.withLock { $0 } }

    func add(_ name: String, _ result: TensorRunResult) { self.state.withLock { $0.append(name) } }
}
