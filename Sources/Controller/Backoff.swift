/// Exponential backoff with full jitter: the longer something fails, the rarer it is tried.
///
/// The delay before try n+1 is drawn evenly from half to the whole of `first * 2^(n-1)`, capped at `longest`.
package struct Backoff: Sendable, Hashable {
    /// In milliseconds.
    package var first: Int64
    /// In milliseconds.
    package var longest: Int64

    package init(first: Int64 = 250, longest: Int64 = 60_000) {
        self.first = first
        self.longest = longest
    }

    /// The delay after `attempts` failures in a row, in milliseconds. `jitter` is from 0 to 1.
    package func delay(afterAttempts attempts: Int, jitter: Double) -> Int64 {
        let doublings = min(max(attempts - 1, 0), 40)
        let (grown, overflow) = self.first.multipliedReportingOverflow(by: Int64(1) << Int64(doublings))
        let ceiling = overflow ? self.longest : min(grown, self.longest)
        return ceiling / 2 + Int64(Double(ceiling / 2) * min(max(jitter, 0), 1))
    }
}

/// Draws the jitter of backoff; a parameter, so that tests own randomness.
package typealias JitterSource = @Sendable () -> Double
