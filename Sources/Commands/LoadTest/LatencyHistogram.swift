internal import Histogram

/// Latencies from 1 µs to 1 h, each kept to three digits: an HdrHistogram.
struct LatencyHistogram: Sendable {
    /// Microseconds in an hour.
    private static let longest: UInt64 = 3_600_000_000

    private var histogram = Histogram<UInt64>(
        highestTrackableValue: Self.longest,
        numberOfSignificantValueDigits: .three
    )

    /// How many there are.
    var count: Int { Int(self.histogram.totalCount) }

    /// Takes a length of time in nanoseconds; what is longer than an hour counts as an hour.
    mutating func record(_ nanoseconds: LoadTime) {
        let microseconds = UInt64(max(0, nanoseconds) + 500) / 1000
        self.histogram.record(min(microseconds, Self.longest))
    }

    /// The length of time, in milliseconds, that so many of 100 are not above.
    func milliseconds(atPercentile percentile: Double) -> Double {
        Double(min(self.histogram.valueAtPercentile(percentile), self.histogram.max)) / 1000
    }

    /// The figures that a summary shows; nil where there is nothing to show.
    var figures: LoadSummary.Latency? {
        guard self.count > 0 else { return nil }
        return LoadSummary.Latency(
            count: self.count,
            min: Double(self.histogram.min) / 1000,
            mean: self.histogram.mean / 1000,
            p50: self.milliseconds(atPercentile: 50),
            p90: self.milliseconds(atPercentile: 90),
            p99: self.milliseconds(atPercentile: 99),
            p999: self.milliseconds(atPercentile: 99.9),
            max: Double(self.histogram.max) / 1000
        )
    }
}
