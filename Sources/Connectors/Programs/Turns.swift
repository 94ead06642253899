internal import Synchronization

/// Lets a number of tasks go on at once; the others wait in the order in which they came.
final class Turns: Sendable {
    private struct State {
        var free: Int
        var next: UInt64 = 0
        var waiting: [(number: UInt64, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let state: Mutex<State>

    init(count: Int) {
        self.state = Mutex(State(free: count))
    }

    /// Waits for a turn and runs `body`. Throws what it throws, and `CancellationError` while it waits.
    func take<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await self.begin()
        defer { self.end() }
        return try await body()
    }

    private func begin() async throws {
        let number = self.state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = self.state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    guard state.free == 0 else {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiting.append((number, continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            self.withdraw(number)
        }
    }

    private func withdraw(_ number: UInt64) {
        let continuation = self.state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).continuation }
        }
        continuation?.resume(throwing: CancellationError())
    }

    private func end() {
        let next: CheckedContinuation<Void, any Error>? = self.state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }
}
