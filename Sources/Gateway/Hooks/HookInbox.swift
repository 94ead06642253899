internal import ServiceLifecycle
internal import Synchronization

/// Hooks that came for one source since it was asked for last.
package struct HookNotice: Sendable, Hashable {
    package var source: String
    package var forms: Set<HookForm>
    /// How many hooks there were.
    package var count: Int

    package init(source: String, forms: Set<HookForm>, count: Int) {
        self.source = source
        self.forms = forms
        self.count = count
    }
}

/// Turns hooks into readings of their sources: however many come, a source is read once at a time, with a pause after.
package final class HookInbox: Service {
    /// Reads a source again, and returns when that has ended.
    package typealias Ask = @Sendable (HookNotice) async -> Void

    /// One source's hooks.
    private struct Slot: Sendable {
        let wakeUps: AsyncStream<Void>
        let continuation: AsyncStream<Void>.Continuation

        init() {
            (self.wakeUps, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        }
    }

    private let slots: [String: Slot]
    private let waiting = Mutex<[String: HookNotice]>([:])
    private let clock: any Clock<Duration>
    private let pause: Duration
    private let ask: Ask

    /// - Parameter pause: How long hooks of a source are collected after it was read because of one.
    package init(sources: some Sequence<String>, clock: any Clock<Duration>, pause: Duration, ask: @escaping Ask) {
        self.slots = Dictionary(sources.map { ($0, Slot()) }, uniquingKeysWith: { first, _ in first })
        self.clock = clock
        self.pause = pause
        self.ask = ask
    }

    /// What came and has not been asked for yet, by source.
    var notices: [String: HookNotice] {
        self.waiting.withLock { $0 }
    }

    /// Takes a hook in; sources that this inbox was not made for are left out.
    func receive(_ form: HookForm, for source: String) {
        guard let slot = self.slots[source] else { return }
        self.waiting.withLock { waiting in
            var notice = waiting[source] ?? HookNotice(source: source, forms: [], count: 0)
            notice.forms.insert(form)
            notice.count += 1
            waiting[source] = notice
        }
        slot.continuation.yield()
    }

    /// Asks for readings until shutdown; one slow source holds up no other.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for (source, slot) in self.slots {
                    group.addTask { await self.serve(source, slot) }
                }
            }
        }
    }

    private func serve(_ source: String, _ slot: Slot) async {
        for await _ in slot.wakeUps {
            guard let notice = self.waiting.withLock({ $0.removeValue(forKey: source) }) else { continue }
            await self.ask(notice)
            // Cancelled only by the end of the process, which ends the stream too.
            try? await self.clock.sleep(for: self.pause)
        }
    }
}
