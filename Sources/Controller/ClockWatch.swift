internal import Planning

/// Notices when somebody sets the wall clock, by comparing it with a clock that nobody can set.
struct ClockWatch: Sendable {
    /// Runs by the clock that nobody can set.
    private let stopwatch: Stopwatch
    /// By how much the wall clock was ahead of that at the last look, in milliseconds.
    private var lead: Int64
    private var lastLook: Int64 = 0

    init(_ clock: any Clock<Duration>, at wallTime: Timestamp) {
        self.stopwatch = Stopwatch(clock)
        self.lead = wallTime.milliseconds
    }

    /// How long ago it was made.
    var now: Duration { .milliseconds(self.stopwatch.elapsed.milliseconds) }

    /// By how many milliseconds the wall clock was set since the last look; nil when it only ran.
    ///
    /// Being slewed, by up to a thousandth of the time that passed, is running.
    mutating func jump(at wallTime: Timestamp) -> Int64? {
        let elapsed = self.stopwatch.elapsed.milliseconds
        let passed = elapsed - self.lastLook
        let jump = wallTime.milliseconds - elapsed - self.lead
        (self.lead, self.lastLook) = (self.lead + jump, elapsed)
        return abs(jump) > 5000 + passed / 1000 ? jump : nil
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}
