import Synchronization
import TestSupport
import Testing

@testable import Serving

struct TimersTests {
    /// What was called so far.
    private final class Calls: Sendable {
        private let calls = Mutex<[String]>([])
        let (stream, continuation) = AsyncStream<String>.makeStream()

        var all: [String] { self.calls.withLock { $0 } }

        func handler(_ name: String) -> @Sendable () -> Void {
            {
                self.calls.withLock { $0.append(name) }
                self.continuation.yield(name)
            }
        }
    }

    private func run(_ test: @escaping @Sendable (ManualClock, Timers, Calls) async -> Void) async {
        let (clock, calls) = (ManualClock(), Calls())
        let timers = Timers(clock: clock)
        await withTaskGroup { group in
            group.addTask { await timers.run() }
            await test(clock, timers, calls)
            group.cancelAll()
        }
    }

    @Test("Handlers are called at their times, however they were set")
    func order() async {
        await self.run { clock, timers, calls in
            timers.set(at: .seconds(5), calls.handler("five"))
            await clock.waitForSleep(of: .seconds(5))
            timers.set(at: .seconds(2), calls.handler("two"))
            timers.set(at: .seconds(9), calls.handler("nine"))
            await clock.waitForSleep(of: .seconds(2))
            var called = calls.stream.makeAsyncIterator()
            clock.advance(by: .seconds(2))
            #expect(await called.next() == "two")
            clock.advance(by: .seconds(3))
            #expect(await called.next() == "five")
            await clock.waitForSleep(of: .seconds(4))
            clock.advance(by: .seconds(4))
            #expect(await called.next() == "nine")
            #expect(calls.all == ["two", "five", "nine"])
        }
    }

    @Test("A cancelled timer is not called, and the next one is")
    func cancelling() async {
        await self.run { clock, timers, calls in
            let first = timers.set(at: .seconds(1), calls.handler("first"))
            await clock.waitForSleep(of: .seconds(1))
            timers.set(at: .seconds(3), calls.handler("second"))
            timers.cancel(first)
            var called = calls.stream.makeAsyncIterator()
            clock.advance(by: .seconds(1))
            await clock.waitForSleep(of: .seconds(2))
            clock.advance(by: .seconds(2))
            #expect(await called.next() == "second")
            #expect(calls.all == ["second"])
        }
    }
}
