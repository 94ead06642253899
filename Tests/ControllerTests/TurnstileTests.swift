import Synchronization
import Testing

@testable import Controller

struct TurnstileTests {
    private struct Failure: Error {}

    private struct Counts {
        var inside = 0
        var most = 0
        var done = 0
        var order: [Int] = []
    }

    private final class Seen: Sendable {
        let counts = Mutex(Counts())

        func visit() async {
            self.counts.withLock { counts in
                counts.inside += 1
                counts.most = max(counts.most, counts.inside)
            }
            for _ in 0..<10 { await Task.yield() }
            self.counts.withLock { counts in
                counts.inside -= 1
                counts.done += 1
            }
        }
    }

    @Test(arguments: [1, 2, 4]) func letsFewThroughAtATime(atOnce: Int) async {
        let (turnstile, seen) = (Turnstile(atOnce: atOnce), Seen())
        await withTaskGroup { group in
            for number in 0..<20 {
                group.addTask {
                    try? await turnstile.pass {
                        await seen.visit()
                        // Who fails makes room too.
                        if number.isMultiple(of: 3) { throw Failure() }
                    }
                }
            }
        }
        let counts = seen.counts.withLock(\.self)
        #expect(counts.most <= atOnce)
        #expect(counts.inside == 0)
        #expect(counts.done == 20)
    }

    /// Keeps the only place of a turnstile until it is opened.
    private struct Gate {
        private let opened = AsyncStream.makeStream(of: Never.self)

        func open() { self.opened.continuation.finish() }

        func stay() async { for await _ in self.opened.stream {} }
    }

    @Test func whoIsCancelledInLineLeavesItAtOnce() async throws {
        let (turnstile, seen, gate) = (Turnstile(atOnce: 1), Seen(), Gate())
        let inside = Task { try await turnstile.pass { await gate.stay() } }
        while turnstile.hasRoom { await Task.yield() }
        let waiter = Task { try await turnstile.pass { await seen.visit() } }
        while turnstile.lineLength == 0 { await Task.yield() }

        waiter.cancel()
        try #require(turnstile.lineLength == 0)
        await #expect(throws: CancellationError.self) { try await waiter.value }
        #expect(seen.counts.withLock(\.done) == 0)

        // It made room for nobody: who comes now waits until the place is free.
        let next = Task { try await turnstile.pass { await seen.visit() } }
        while turnstile.lineLength == 0 { await Task.yield() }
        gate.open()
        try await inside.value
        try await next.value
        #expect(seen.counts.withLock(\.done) == 1)
    }

    @Test func whoIsCancelledBeforeTheLineNeverEntersIt() async throws {
        let (turnstile, seen, gate) = (Turnstile(atOnce: 1), Seen(), Gate())
        let inside = Task { try await turnstile.pass { await gate.stay() } }
        while turnstile.hasRoom { await Task.yield() }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await turnstile.pass { await seen.visit() }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(seen.counts.withLock(\.done) == 0)
        gate.open()
        try await inside.value
        // No place was lost.
        #expect(turnstile.hasRoom)
    }

    @Test func whoCameLastGoesFirst() async throws {
        let (turnstile, seen, gate) = (Turnstile(atOnce: 1), Seen(), Gate())
        try await withThrowingTaskGroup { group in
            group.addTask { try await turnstile.pass { await gate.stay() } }
            while turnstile.hasRoom { await Task.yield() }
            for number in 1...4 {
                group.addTask { try await turnstile.pass { seen.counts.withLock { $0.order.append(number) } } }
                while turnstile.lineLength < number { await Task.yield() }
            }
            gate.open()
            try await group.waitForAll()
        }
        #expect(seen.counts.withLock(\.order) == [4, 3, 2, 1])
    }
}
