internal import Synchronization

/// Lets few at a time through; the others wait in line.
///
/// Whoever came last goes first. A first start leaves thousands in line, and a fix that was pushed meanwhile, or a retry
/// that a person asked for, must not wait for all of them. Among those that came together the order does not matter.
final class Turnstile: Sendable {
    private struct Waiter {
        var number: Int
        var turn: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var lastNumber = 0
        var line: [Waiter] = []
    }

    private let state: Mutex<State>

    /// How many wait in line.
    var lineLength: Int { self.state.withLock(\.line.count) }

    /// Whether the next one who comes is let through at once.
    var hasRoom: Bool { self.state.withLock { $0.free > 0 } }

    /// - Parameter atOnce: how many are let through before one has to be back.
    init(atOnce: Int) {
        self.state = Mutex(State(free: atOnce))
    }

    /// Does the work when its turn comes. Throws `CancellationError` as soon as it is not wanted any more, in line too.
    func pass<Output>(_ work: () async throws -> Output) async throws -> Output {
        try await self.waitForTurn()
        defer { self.letNextThrough() }
        // It may have been let through and cancelled in the same moment.
        try Task.checkCancellation()
        return try await work()
    }

    private func waitForTurn() async throws {
        let number = self.state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { turn in
                let outcome = self.state.withLock { state -> Result<Void, any Error>? in
                    // Asked under the lock: a cancellation that came earlier has found nobody in line to send away, one
                    // that comes later will.
                    guard !Task.isCancelled else { return .failure(CancellationError()) }
                    guard state.free > 0 else {
                        state.line.append(Waiter(number: number, turn: turn))
                        return nil
                    }
                    state.free -= 1
                    return .success(())
                }
                if let outcome { turn.resume(with: outcome) }
            }
        } onCancel: {
            self.leaveLine(number)
        }
    }

    /// Sends away who still waits. It has no place inside, so nobody is let through for it.
    private func leaveLine(_ number: Int) {
        let waiter = self.state.withLock { state in
            state.line.lastIndex { $0.number == number }.map { state.line.remove(at: $0) }
        }
        waiter?.turn.resume(throwing: CancellationError())
    }

    private func letNextThrough() {
        let next = self.state.withLock { state -> Waiter? in
            if let newest = state.line.popLast() { return newest }
            state.free += 1
            return nil
        }
        next?.turn.resume()
    }
}
