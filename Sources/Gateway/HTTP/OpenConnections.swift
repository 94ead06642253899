internal import Logging
internal import Synchronization

/// Counts the open connections of one listener, and says which are too many.
final class OpenConnections: Sendable {
    private struct State {
        var count = 0
        var refusals = 0
        var isRefusing = false
    }

    private let limit: Int
    private let logger: Logger
    private let state = Mutex(State())

    init(limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    /// How many there are, those that are being refused included.
    var count: Int { self.state.withLock { $0.count } }

    /// How many were refused so far.
    var refusals: Int { self.state.withLock { $0.refusals } }

    /// Counts one more; false when it is to be refused.
    func open() -> Bool {
        let (isAdmitted, isFirst) = self.state.withLock { state in
            state.count += 1
            guard state.count > self.limit else { return (true, false) }
            state.refusals += 1
            defer { state.isRefusing = true }
            return (false, !state.isRefusing)
        }
        if isFirst {
            self.logger.warning(
                "connections are refused: too many are open",
                metadata: ["limit": "\(self.limit)", "option": "--max-connections"]
            )
        }
        return isAdmitted
    }

    /// Counts one less. The next refusal is told again once there was real room.
    func close() {
        self.state.withLock { state in
            state.count -= 1
            if state.count <= self.limit * 3 / 4 { state.isRefusing = false }
        }
    }
}
