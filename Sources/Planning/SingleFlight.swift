internal import Synchronization

/// Lets one caller at a time work on a key; the others wait, in order, and then see what it left.
package final class SingleFlight: Sendable {
    private struct Waiter {
        var id: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        /// Keys that somebody works on, with those who wait.
        var waiters: [String: [Waiter]] = [:]
        var nextID = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Runs the work when nobody else works on the key. Throws `CancellationError` when cancelled while it waits.
    package func run<Result>(_ key: String, _ work: () async throws -> Result) async throws -> Result {
        try await self.enter(key)
        defer { self.leave(key) }
        return try await work()
    }

    /// How many callers wait for a key.
    package func waiting(for key: String) -> Int {
        self.state.withLock { $0.waiters[key]?.count ?? 0 }
    }

    private func enter(_ key: String) async throws {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isFree = self.state.withLock { state in
                    guard state.waiters[key] != nil else {
                        state.waiters[key] = []
                        return true
                    }
                    state.waiters[key]?.append(Waiter(id: id, continuation: continuation))
                    return false
                }
                if isFree {
                    continuation.resume()
                } else if Task.isCancelled {
                    // The handler may have run before there was a waiter to give up.
                    self.giveUp(id, key)
                }
            }
        } onCancel: {
            self.giveUp(id, key)
        }
    }

    private func leave(_ key: String) {
        let next = self.state.withLock { state -> Waiter? in
            guard var waiters = state.waiters[key], !waiters.isEmpty else {
                state.waiters[key] = nil
                return nil
            }
            let next = waiters.removeFirst()
            state.waiters[key] = waiters
            return next
        }
        next?.continuation.resume()
    }

    private func giveUp(_ id: Int, _ key: String) {
        let waiter = self.state.withLock { state -> Waiter? in
            guard let index = state.waiters[key]?.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters[key]?.remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }
}
