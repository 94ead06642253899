import Dispatch
import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// Runs that fail or hang, sessions that cannot be opened, and closing.
struct TensorFaultTests {
    private typealias Fixture = TensorServerFixture

    /// Gives `x` back as `y`, but hangs on a negative number, and takes no notice of an abort.
    private final class Stubborn: Sendable {
        private let gate = DispatchSemaphore(value: 0)

        var script: ScriptedTensorEngine.Script {
            ScriptedTensorEngine.Script(signature: ScriptedTensorEngine.Script.identity(.fp32).signature) { inputs, _ in
                if (inputs["x"]?.elements(as: Float.self)?.first ?? 0) < 0 { self.gate.wait() }
                return inputs["x"].map { ["y": $0] } ?? [:]
            }
        }

        func letGo() { self.gate.signal() }
    }

    @Test("A session on which a run failed is replaced, and its model goes on")
    func failingRun() async throws {
        try await Fixture.run { fixture async throws in
            fixture.control.failNextDecode(MartletError("RunFailed", "the script says so"))
            let outcome = await Outcome { try await fixture.ask(Fixture.rows(1)) }
            #expect((outcome.error as? MartletError)?.code == "RunFailed")
            #expect(try await fixture.ask(Fixture.rows(2)).outputs == Fixture.echo(2))
            #expect(fixture.control.log.sessionsOpened == 2)
            #expect(fixture.server.readyCopies == 1)
            #expect(fixture.failures.count == 0)
        }
    }

    @Test("A run that hangs is left behind with its thread; its copy counts as failed until it is replaced")
    func hanging() async throws {
        let stubborn = Stubborn()
        try await Fixture.run(stubborn.script, threads: 1) { fixture async throws in
            async let hung = Outcome { try await fixture.ask(Fixture.rows(-1)) }
            await fixture.control.wait { $0.runs == 1 }
            async let waiting = Outcome { try await fixture.ask(Fixture.rows(1)) }
            await fixture.waitForRequests(1)
            fixture.server.checkForHangs(now: .zero, deadline: .seconds(60))
            fixture.server.checkForHangs(now: .seconds(59), deadline: .seconds(60))
            #expect(fixture.calls.total == 0)
            fixture.server.checkForHangs(now: .seconds(60), deadline: .seconds(60))
            #expect((await hung.error as? MartletError)?.code == "EngineHung")
            #expect((await waiting.error as? MartletError)?.code == "EngineHung")
            #expect((fixture.calls.total, fixture.calls.outstanding) == (1, 1))
            #expect(fixture.server.readyCopies == 0)
            #expect(fixture.failures.count == 1)
            let refused = await Outcome { try await fixture.ask(Fixture.rows(1)) }
            #expect((refused.error as? MartletError)?.code == "EngineHung")

            // The only thread hangs, and another one takes its place.
            fixture.server.setCopies(1)
            #expect(try await fixture.ask(Fixture.rows(2)).outputs == Fixture.echo(2))
            #expect(fixture.server.memoryBytes == 100_000 + 2 * 1_000)
            stubborn.letGo()
            while fixture.calls.outstanding > 0 { await Task.yield() }
            #expect(fixture.server.memoryBytes == 100_000 + 1_000)
            #expect(try await fixture.ask(Fixture.rows(3)).outputs == Fixture.echo(3))
        }
    }

    @Test("A slow run of many calls does not hang")
    func slow() async throws {
        try await Fixture.run { fixture in
            fixture.control.holdDecodes()
            for number in 1...3 {
                async let answer = fixture.ask(Fixture.rows(1))
                await fixture.control.wait { $0.runs == number }
                fixture.server.checkForHangs(now: .seconds(59 * number), deadline: .seconds(60))
                fixture.control.holdDecodes(after: 1)
                _ = try await answer
                fixture.control.holdDecodes()
            }
            #expect(fixture.calls.total == 0)
            fixture.control.releaseDecodes()
        }
    }

    @Test("Sessions that nobody needs any more are closed, those in use are not")
    func idleSessions() async throws {
        try await Fixture.run(copies: 2) { fixture in
            fixture.control.holdDecodes()
            async let one = fixture.ask(Fixture.rows(1))
            async let two = fixture.ask(Fixture.rows(2))
            await fixture.control.wait { $0.runs == 2 }
            fixture.control.releaseDecodes()
            _ = try await (one, two)
            fixture.server.closeIdleSessions()
            #expect(fixture.control.log.sessionsClosed == 0)
            _ = try await fixture.ask(Fixture.rows(3))
            fixture.server.closeIdleSessions()
            #expect(fixture.control.log.sessionsClosed == 1)
            fixture.server.closeIdleSessions()
            #expect(fixture.control.log.sessionsClosed == 2)
            #expect(fixture.server.memoryBytes == 100_000)
            #expect(try await fixture.ask(Fixture.rows(4)).outputs == Fixture.echo(4))
        }
    }

    @Test("Closing ends what runs and what waits, and gives everything back")
    func closing() async throws {
        try await Fixture.run { fixture in
            fixture.control.holdDecodes()
            async let running = Outcome { try await fixture.ask(Fixture.rows(1)) }
            await fixture.control.wait { $0.runs == 1 }
            async let waiting = Outcome { try await fixture.ask(Fixture.rows(2), batching: (4, "1h")) }
            await fixture.waitForRequests(1)
            await fixture.server.close()
            #expect((await running.error as? MartletError)?.code == "Aborted")
            #expect((await waiting.error as? MartletError)?.code == "Aborted")
            #expect(fixture.control.log.liveBytes == 0)
            let late = await Outcome { try await fixture.ask(Fixture.rows(3)) }
            #expect((late.error as? MartletError)?.code == "Aborted")
        }
    }

    @Test("Closing leaves a run behind that does not come back; the model stays until it does")
    func closingWhileHanging() async throws {
        let stubborn = Stubborn()
        try await Fixture.run(stubborn.script) { fixture in
            async let hung = Outcome { try await fixture.ask(Fixture.rows(-1)) }
            await fixture.control.wait { $0.runs == 1 }
            async let closed: Void = fixture.server.close()
            await fixture.clock.waitForSleep(of: .seconds(5))
            fixture.clock.advance(by: .seconds(5))
            await closed
            #expect((await hung.error as? MartletError)?.code == "Aborted")
            #expect(fixture.calls.outstanding == 1)
            #expect(fixture.control.log.modelsClosed == 0)
            stubborn.letGo()
            await fixture.control.wait { $0.modelsClosed == 1 }
            #expect(fixture.calls.outstanding == 0)
        }
    }

    @Test("Where a copy is lost while others are free, what is due begins all the same")
    func losesNoRun() {
        var state = TensorModelServer.State(copies: 3)
        let joining = TensorBatcher.Joining(layout: [[1]], rows: 1, maxRows: 4, maxDelay: .milliseconds(2))
        let alone = state.receive(.arrived(TensorBatcher.Request(id: 1)), at: .zero)
        #expect(alone.runs.map(\.id) == [1])
        let waiting = state.receive(.arrived(TensorBatcher.Request(id: 2, joining: joining)), at: .zero)
        #expect(waiting.runs.isEmpty)
        let work = state.end(.hung(deadline: .seconds(60)), at: .milliseconds(2))
        #expect(work.runs.map(\.id) == [2])
        #expect(state.readyCopies == 2)
    }
}
