/// Decides from a thread's pulse whether a step has been going on for too long.
///
/// The pulse counts the beginnings and the ends of steps: it is odd while one is going on.
struct HangDetector: Sendable {
    private var lastPulse: UInt64 = 0
    private var unchangedSince: Duration = .zero

    /// - Parameters:
    ///   - pulse: as it is now.
    ///   - now: on any time line that only moves forward.
    ///   - deadline: how long a step may take, as seen by calls of this function.
    mutating func isHung(pulse: UInt64, now: Duration, deadline: Duration) -> Bool {
        if pulse != self.lastPulse {
            self.lastPulse = pulse
            self.unchangedSince = now
        }
        return pulse % 2 == 1 && now - self.unchangedSince >= deadline
    }
}
