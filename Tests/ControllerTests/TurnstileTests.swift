import Synchronization
import Testing

@testable import Controller

struct TurnstileTests {
    private struct Failure: Error {}

    private struct Counts {
        var inside = 0
        var most = 0
        var done = 0
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

    @Test func whoIsCancelledInLineDoesNothing() async throws {
        let (turnstile, seen) = (Turnstile(atOnce: 1), Seen())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await turnstile.pass { await seen.visit() }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(seen.counts.withLock(\.done) == 0)
        // Its place is free again.
        try await turnstile.pass { await seen.visit() }
        #expect(seen.counts.withLock(\.done) == 1)
    }
}
