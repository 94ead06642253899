internal import Synchronization

/// Wakes one sleeper; a ring that comes while nobody sleeps wakes the next one at once.
final class Alarm: Sendable {
    private enum State {
        case quiet
        case rung
        case awaited(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.quiet)

    func ring() {
        let sleeper: CheckedContinuation<Void, Never>? = self.state.withLock { state in
            if case .awaited(let sleeper) = state {
                state = .quiet
                return sleeper
            }
            state = .rung
            return nil
        }
        sleeper?.resume()
    }

    /// Returns after a ring, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAwake = self.state.withLock { state in
                    if case .rung = state {
                        state = .quiet
                        return true
                    }
                    guard !Task.isCancelled else { return true }
                    state = .awaited(continuation)
                    return false
                }
                if isAwake { continuation.resume() }
            }
        } onCancel: {
            let sleeper: CheckedContinuation<Void, Never>? = self.state.withLock { state in
                guard case .awaited(let sleeper) = state else { return nil }
                state = .quiet
                return sleeper
            }
            sleeper?.resume()
        }
    }
}
