internal import Synchronization

/// Lets few at a time through; the others wait in line.
///
/// Waiting does not end early when its task is cancelled, so whoever was let through looks whether it still should.
final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var line: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    /// - Parameter atOnce: how many are let through before one has to be back.
    init(atOnce: Int) {
        self.state = Mutex(State(free: atOnce))
    }

    /// Does the work when its turn comes. Throws `CancellationError` when it is not wanted any more by then.
    func pass<Output>(_ work: () async throws -> Output) async throws -> Output {
        await withCheckedContinuation { turn in
            let isNext = self.state.withLock { state in
                guard state.free > 0 else {
                    state.line.append(turn)
                    return false
                }
                state.free -= 1
                return true
            }
            if isNext { turn.resume() }
        }
        defer { self.letNextThrough() }
        try Task.checkCancellation()
        return try await work()
    }

    private func letNextThrough() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.line.isEmpty else { return state.line.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
