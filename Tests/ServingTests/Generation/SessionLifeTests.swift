import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// Cancelling, closing, dying and hanging.
struct SessionLifeTests {
    private func endless(_ text: String = "ab") -> ScriptedEngine {
        ScriptedEngine(contextLength: 100_000, slots: 1) { prompt in
            prompt.text.contains("short") ? .text("done") : .endless(text)
        }
    }

    @Test("Ending the iteration frees the slot for the next request")
    func cancelling() async throws {
        let fixture = try ServerFixture(self.endless())
        let reader = Task { try await fixture.chat("endless") }
        await fixture.control.wait { $0.tokensSampled > 3 }
        reader.cancel()
        #expect(try await fixture.chat("short").text == "done")
        await fixture.server.close()
    }

    @Test("Dropping an answer unread ends it too")
    func dropping() async throws {
        let fixture = try ServerFixture(self.endless())
        let request = CompletionRequest(prompt: .text("endless"))
        for try await _ in try await fixture.server.complete(request) { break }
        #expect(try await fixture.chat("short").text == "done")
        await fixture.server.close()
    }

    @Test("An answer that calls back gives the same pieces, and ends as a stream does")
    func callingBack() async throws {
        let fixture = try ServerFixture(self.endless())
        let pieces = Mutex<[CompletionEvent]>([])
        let short = CompletionRequest(prompt: .text("short"))
        try await fixture.server.answer(short) { event in pieces.withLock { $0.append(event) } }
        // Of a server of its own: this one has computed the prompt before.
        let fresh = try ServerFixture(self.endless())
        var streamed: [CompletionEvent] = []
        for try await event in try await fresh.server.complete(short) { streamed.append(event) }
        await fresh.server.close()
        #expect(pieces.withLock { $0 } == streamed)

        let endless = CompletionRequest(prompt: .text("endless"))
        let reader = Task { try await fixture.server.answer(endless) { _ in } }
        await fixture.control.wait { $0.tokensSampled > 20 }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        #expect(try await fixture.chat("short").text == "done")

        let other = Task { try await fixture.server.answer(endless) { _ in } }
        await fixture.control.wait { $0.tokensSampled > 60 }
        await fixture.server.close()
        let error = await #expect(throws: MartletError.self) { try await other.value }
        #expect(error?.code == "Aborted")
    }

    @Test("Who waits for an engine that hangs can leave at once")
    func leavingAHungEngine() async throws {
        let fixture = try ServerFixture(self.endless())
        fixture.control.holdDecodes()
        let reader = Task { try await fixture.server.answer(CompletionRequest(prompt: .text("short"))) { _ in } }
        await fixture.control.wait { $0.batches.count == 1 }
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
        fixture.control.releaseDecodes()
        await fixture.server.close()
    }

    @Test("A thread without work computes nothing")
    func idling() async throws {
        let fixture = try ServerFixture(ScriptedEngine())
        _ = try await fixture.chat("x")
        let log = fixture.control.log
        #expect(log.batches.count == log.decodesFinished)
        #expect(log.tokensSampled == 2)
        await fixture.server.close()
    }

    @Test("Closing ends answers under way with Aborted, and gives all memory back")
    func closing() async throws {
        let fixture = try ServerFixture(self.endless(), copies: 2)
        let answers = (0..<3).map { _ in Task { try await fixture.chat("endless") } }
        await fixture.control.wait { $0.tokensSampled > 10 && $0.samplers.count == 2 }
        await fixture.server.close()
        for answer in answers {
            let error = await #expect(throws: MartletError.self) { try await answer.value }
            #expect(error?.code == "Aborted")
        }
        let log = fixture.control.log
        #expect(log.liveBytes == 0)
        #expect(log.sessionsClosed == 2)
        #expect(log.modelsClosed == 1)
        let error = await #expect(throws: MartletError.self) { try await fixture.chat("short") }
        #expect(error?.code == "Aborted")
    }

    @Test("A server that is dropped gives its memory back too")
    func droppingTheServer() async throws {
        let engine = ScriptedEngine()
        _ = try await ServerFixture(engine).chat("x")
        await engine.control.wait { $0.liveBytes == 0 }
        #expect(engine.control.log.modelsClosed == 1)
    }

    @Test("A failed batch fails its requests; the next one is answered")
    func oneFailure() async throws {
        let fixture = try ServerFixture(ScriptedEngine())
        fixture.control.failNextDecode()
        let error = await #expect(throws: MartletError.self) { try await fixture.chat("x") }
        #expect(error?.code == "DecodeFailed")
        #expect(try await fixture.chat("y").text == "y")
        #expect(fixture.server.readyCopies == 1)
        await fixture.server.close()
    }

    @Test("A session that fails again and again is given up, with the reason")
    func repeatedFailures() async throws {
        let fixture = try ServerFixture(ScriptedEngine())
        for _ in 0...SessionLoop.failuresAllowed {
            fixture.control.failNextDecode()
            await #expect(throws: MartletError.self) { try await fixture.chat("x") }
        }
        await fixture.control.wait { $0.sessionsClosed == 1 }
        #expect(fixture.server.readyCopies == 0)
        let error = await #expect(throws: MartletError.self) { try await fixture.chat("x") }
        #expect(error?.code == "SessionFailed")
        #expect(error?.message.contains("the script says so") == true)
        await fixture.server.close()
        #expect(fixture.control.log.liveBytes == 0)
    }

    @Test("A request that the sampler refuses ends alone")
    func failingSampler() async throws {
        let engine = ScriptedEngine { prompt in
            prompt.text.contains("bad") ? .fails(MartletError("BadGrammar", "no")) : .text("fine")
        }
        let fixture = try ServerFixture(engine)
        async let good = fixture.chat("good")
        let error = await #expect(throws: MartletError.self) { try await fixture.chat("bad") }
        #expect(error?.code == "BadGrammar")
        #expect(try await good.text == "fine")
        await fixture.server.close()
    }

    @Test("Fewer copies finish what they have; more copies share the weights")
    func scaling() async throws {
        let fixture = try ServerFixture(ScriptedEngine(slots: 1) { _ in .text("whole answer") }, copies: 2)
        fixture.control.holdDecodes()
        async let first = fixture.chat("a")
        async let second = fixture.chat("b")
        await fixture.control.wait { $0.batches.count == 2 }
        try fixture.server.setCopies(1)
        #expect(fixture.server.readyCopies == 1)
        fixture.control.releaseDecodes()
        #expect(try await [first.text, second.text] == ["whole answer", "whole answer"])
        await fixture.control.wait { $0.sessionsClosed == 1 }
        try fixture.server.setCopies(3)
        #expect(fixture.server.readyCopies == 3)
        #expect(fixture.control.log.modelsOpened == 1)
        #expect(fixture.server.memoryBytes == 1_000_000 + 3 * 10_000)
        await fixture.server.close()
    }

    // MARK: Hanging

    /// An engine whose decodes hang and heed no abort.
    private func hangingFixture(copies: Int) throws -> (LanguageModelServer, StubbornModel, AbandonedCalls) {
        let model = StubbornModel()
        let calls = AbandonedCalls()
        let server = try LanguageModelServer(
            model: model,
            copies: copies,
            closeDeadline: .zero,
            abandonedCalls: calls
        )
        return (server, model, calls)
    }

    @Test("A step that does not come back is left behind, counted, and its answers end with an error")
    func hanging() async throws {
        let (server, model, calls) = try self.hangingFixture(copies: 1)
        let answer = try await server.complete(CompletionRequest(prompt: .text("x")))
        await model.isInDecode.wait()
        server.checkForHangs(now: .zero, deadline: .seconds(60))
        server.checkForHangs(now: .seconds(59), deadline: .seconds(60))
        #expect(server.readyCopies == 1)
        server.checkForHangs(now: .seconds(60), deadline: .seconds(60))
        let error = await #expect(throws: MartletError.self) { _ = try await Answer(answer) }
        #expect(error?.code == "EngineHung")
        #expect(server.readyCopies == 0)
        #expect(server.lastFailure?.code == "EngineHung")
        #expect((calls.total, calls.outstanding) == (1, 1))
        // Closing waits for nobody, and takes nothing from the thread that may still read it.
        await server.close()
        #expect(!model.isClosed.isOpen)
        model.letGo()
        await model.isClosed.wait()
        #expect(model.sessionsClosed == 1)
        while calls.outstanding > 0 { await Task.yield() }
        #expect(calls.total == 1)
    }

    @Test("Closing does not wait for a thread that hangs")
    func closingWhileHanging() async throws {
        let (server, model, calls) = try self.hangingFixture(copies: 1)
        let answer = try await server.complete(CompletionRequest(prompt: .text("x")))
        await model.isInDecode.wait()
        await server.close()
        await #expect(throws: MartletError.self) { _ = try await Answer(answer) }
        #expect(calls.outstanding == 1)
        model.letGo()
        await model.isClosed.wait()
    }
}
