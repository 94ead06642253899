/// Why an answer ends before the model is done with it.
enum EarlyEnd: Sendable, Hashable {
    case callerLeft
    /// It has left too much of its answer unread.
    case callerFellBehind
    /// The runner's drain time-out is over, or it was stopped.
    case interrupted
    /// `limits.timeout` is over.
    case timedOut
}

/// A way to end one answer from outside of its task; the first reason counts.
struct EndSignal: Sendable {
    private let ends: AsyncStream<EarlyEnd>
    private let continuation: AsyncStream<EarlyEnd>.Continuation

    init() {
        (self.ends, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func end(_ reason: EarlyEnd) {
        self.continuation.yield(reason)
        self.continuation.finish()
    }

    /// Waits for the signal; nil when the waiting task is cancelled first. Only one task may wait.
    func wait() async -> EarlyEnd? {
        for await reason in self.ends { return reason }
        return nil
    }
}
