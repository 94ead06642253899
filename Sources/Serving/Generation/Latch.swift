internal import Synchronization

/// Something that happens once, and that tasks can wait for.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    var isOpen: Bool { self.state.withLock { $0.isOpen } }

    /// Lets everyone through from now on.
    func open() {
        let waiters = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when the latch is open, or the task is cancelled.
    func wait() async {
        let id = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayPass = self.state.withLock { state in
                    if state.isOpen || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if mayPass { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    /// Waits until the latch is open or the time is up, also in a task that was cancelled before.
    ///
    /// - Returns: Whether it is open.
    func wait(atMost duration: Duration, clock: any Clock<Duration>) async -> Bool {
        // A task of its own, since what is being closed must be given its time though its owner was cancelled.
        await Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.wait() }
                group.addTask { try? await clock.sleep(for: duration) }
                await group.next()
                group.cancelAll()
            }
        }.value
        return self.isOpen
    }
}
