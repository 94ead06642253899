internal import Synchronization

/// Why an answer ends before the model is done with it.
enum EarlyEnd: Error, Sendable, Hashable {
    case callerLeft
    /// It has left too much of its answer unread.
    case callerFellBehind
    /// The runner's drain time-out is over, or it was stopped.
    case interrupted
    /// `limits.timeout` is over.
    case timedOut
}

/// A way to end one answer from outside of its task; the first reason counts.
final class EndSignal: Sendable {
    private struct State {
        var reason: EarlyEnd?
        var listener: (@Sendable (EarlyEnd) -> Void)?
        var isClosed = false
    }

    private let state = Mutex(State())

    func end(_ reason: EarlyEnd) {
        let listener = self.state.withLock { state -> (@Sendable (EarlyEnd) -> Void)? in
            guard state.reason == nil else { return nil }
            state.reason = reason
            defer { state.listener = nil }
            return state.listener
        }
        listener?(reason)
    }

    /// Calls the listener once, when the signal comes or at once when it has come. Only one may listen.
    func listen(_ listener: @escaping @Sendable (EarlyEnd) -> Void) {
        let reason = self.state.withLock { state in
            if state.reason == nil, !state.isClosed { state.listener = listener }
            return state.reason
        }
        if let reason { listener(reason) }
    }

    /// Lets go of whoever listens, or would listen later: the answer is over, and what listens mostly holds the signal.
    func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.listener = nil
        }
    }

    /// Waits for the signal; nil when the waiting task is cancelled first. Only one task may wait.
    func wait() async -> EarlyEnd? {
        let (ends, continuation) = AsyncStream<EarlyEnd>.makeStream(bufferingPolicy: .bufferingOldest(1))
        self.listen { reason in
            continuation.yield(reason)
            continuation.finish()
        }
        for await reason in ends { return reason }
        return nil
    }

    /// Runs an operation, and cancels it when the signal comes. Throws the ``EarlyEnd`` then.
    func ending<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                if let reason = await self.wait() { throw reason }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
