internal import Planning

/// When the source is read again after a read that failed: soon at first, then ever more rarely. What stood in the way
/// may be gone without a ref having moved.
struct SourceRetry: Sendable {
    private let backoff: Backoff
    private var failures = 0
    /// Nil: nothing is to be tried again, or it is being tried.
    private(set) var at: Timestamp?

    init(_ backoff: Backoff) {
        self.backoff = backoff
    }

    mutating func succeed() {
        (self.failures, self.at) = (0, nil)
    }

    /// - Parameter jitter: from 0 to 1.
    mutating func fail(at now: Timestamp, jitter: Double) {
        self.failures += 1
        self.at = now.advanced(byMilliseconds: self.backoff.delay(afterAttempts: self.failures, jitter: jitter))
    }

    /// Whether it is time to read again; says so once.
    mutating func take(at now: Timestamp) -> Bool {
        guard let at = self.at, at <= now else { return false }
        self.at = nil
        return true
    }

    /// Moves the moment along with a wall clock that was set.
    mutating func shift(byMilliseconds amount: Int64) {
        self.at = self.at?.advanced(byMilliseconds: amount)
    }
}
