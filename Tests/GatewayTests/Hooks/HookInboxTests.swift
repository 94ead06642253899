import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Answers readings when the test says so.
private final class Readings: Sendable {
    let asked: AsyncStream<HookNotice>
    private let continuation: AsyncStream<HookNotice>.Continuation
    private let gates = Mutex<[String: AsyncStream<Void>.Continuation]>([:])

    init() {
        (self.asked, self.continuation) = AsyncStream.makeStream()
    }

    /// Notes the notice and returns when ``end(_:)`` is called for its source.
    func read(_ notice: HookNotice) async {
        let (stream, gate) = AsyncStream.makeStream(of: Void.self)
        self.gates.withLock { $0[notice.source] = gate }
        self.continuation.yield(notice)
        for await _ in stream {}
    }

    func end(_ source: String) {
        self.gates.withLock { $0.removeValue(forKey: source) }?.finish()
    }
}

@Suite("Inbox of hooks")
struct HookInboxTests {
    @Test("Hooks that come during a reading and the pause after it make one reading more")
    func coalesced() async {
        let (readings, clock) = (Readings(), ManualClock())
        let inbox = HookInbox(sources: ["shop"], clock: clock, pause: .seconds(1)) { await readings.read($0) }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await inbox.run() }
            var asked = readings.asked.makeAsyncIterator()

            inbox.receive(.github, for: "shop")
            #expect(await asked.next() == HookNotice(source: "shop", forms: [.github], count: 1))
            for _ in 0..<50 { inbox.receive(.gitea, for: "shop") }
            readings.end("shop")
            await clock.waitForSleep(of: .seconds(1))
            for _ in 0..<50 { inbox.receive(.gitlab, for: "shop") }
            #expect(inbox.notices["shop"]?.count == 100)
            clock.advance(by: .seconds(1))
            #expect(await asked.next() == HookNotice(source: "shop", forms: [.gitea, .gitlab], count: 100))

            // Nothing came meanwhile: the inbox waits for the next hook.
            readings.end("shop")
            await clock.waitForSleep(of: .seconds(1))
            clock.advance(by: .seconds(1))
            inbox.receive(.github, for: "shop")
            #expect(await asked.next() == HookNotice(source: "shop", forms: [.github], count: 1))
            group.cancelAll()
            readings.end("shop")
        }
    }

    @Test("A source that is slow to read holds up no other")
    func independent() async {
        let readings = Readings()
        let inbox = HookInbox(sources: ["slow", "fast"], clock: ManualClock(), pause: .seconds(1)) {
            await readings.read($0)
        }
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await inbox.run() }
            var asked = readings.asked.makeAsyncIterator()
            inbox.receive(.github, for: "slow")
            #expect(await asked.next()?.source == "slow")
            inbox.receive(.github, for: "fast")
            #expect(await asked.next()?.source == "fast")
            group.cancelAll()
        }
    }

    @Test("A source that takes no hooks is not asked for")
    func unknown() {
        let inbox = HookInbox(sources: ["shop"], clock: ManualClock(), pause: .zero) { _ in }
        inbox.receive(.github, for: "other")
        #expect(inbox.notices.isEmpty)
    }
}
