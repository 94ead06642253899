internal import DequeModule
internal import Synchronization

/// How much of one answer lies unread, in bytes, by what its stream says of its own length: readers tell nothing, and
/// cost nothing more.
final class UnreadBytes: Sendable {
    private struct State {
        /// Of each event that is unread, oldest first.
        var sizes = Deque<Int>()
        var total = 0
        var isOver = false
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: how many bytes may lie unread beside the largest event, which may be as large as it has to be.
    init(limit: Int) {
        self.limit = limit
    }

    /// Whether the limit was passed; nothing more is to be written then.
    var isOver: Bool { self.state.withLock { $0.isOver } }

    /// Takes in that an event was written behind others.
    ///
    /// - Parameter count: how many events are unread now, this one included.
    /// - Returns: whether it is the one that passes the limit.
    func add(_ size: Int, unread count: Int) -> Bool {
        self.state.withLock { state in
            state.sizes.append(size)
            state.total += size
            while state.sizes.count > count, let read = state.sizes.popFirst() { state.total -= read }
            guard !state.isOver, state.total > self.limit else { return false }
            state.isOver = state.total - (state.sizes.max() ?? 0) > self.limit
            return state.isOver
        }
    }
}
