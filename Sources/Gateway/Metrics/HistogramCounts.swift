/// How often values fell into each bucket of one histogram.
package struct HistogramCounts: Sendable, Hashable {
    /// Upper bounds in ascending order; a last bucket without bound is added to them.
    package let bounds: [Double]
    /// One count for each bound and one for what is above all of them; not cumulative.
    package private(set) var counts: [UInt64]
    package private(set) var sum: Double

    package init(bounds: [Double]) {
        self.bounds = bounds
        self.counts = Array(repeating: 0, count: bounds.count + 1)
        self.sum = 0
    }

    package mutating func record(_ value: Double) {
        let bucket = self.bounds.firstIndex { value <= $0 } ?? self.bounds.count
        self.counts[bucket] += 1
        self.sum += value
    }

    /// The samples of the text format: cumulative buckets, the sum and the count.
    package func samples(labels: [MetricFamily.Label]) -> [MetricFamily.Sample] {
        var total: UInt64 = 0
        var samples = zip(self.bounds.map(PrometheusText.number) + ["+Inf"], self.counts).map { bound, count in
            total += count
            return MetricFamily.Sample(
                suffix: "_bucket",
                labels: labels + [MetricFamily.Label("le", bound)],
                value: Double(total)
            )
        }
        samples.append(MetricFamily.Sample(suffix: "_sum", labels: labels, value: self.sum))
        samples.append(MetricFamily.Sample(suffix: "_count", labels: labels, value: Double(total)))
        return samples
    }
}
