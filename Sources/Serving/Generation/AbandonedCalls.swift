internal import Synchronization

/// Counts calls into an engine that did not return in time and were left behind with their thread.
package final class AbandonedCalls: Sendable {
    private let state = Mutex((total: 0, outstanding: 0))

    package init() {}

    /// Left behind since the start.
    package var total: Int { self.state.withLock { $0.total } }

    /// Left behind and still not returned.
    package var outstanding: Int { self.state.withLock { $0.outstanding } }

    func leaveBehind() {
        self.state.withLock { state in
            state.total += 1
            state.outstanding += 1
        }
    }

    /// A call that was left behind returned after all.
    func returnLate() {
        self.state.withLock { $0.outstanding -= 1 }
    }
}
