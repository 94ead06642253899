/// One metric with all its samples, as a scrape shows them.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case counter
        case gauge
        case histogram
        case untyped
    }

    /// One line of the text format.
    package struct Sample: Sendable, Hashable {
        /// Behind the family's name: `_bucket`, `_sum`, `_count`; empty for counters and gauges.
        package var suffix: String
        package var labels: [Label]
        package var value: Double

        package init(suffix: String = "", labels: [Label] = [], value: Double) {
            self.suffix = suffix
            self.labels = labels
            self.value = value
        }
    }

    package struct Label: Sendable, Hashable, Comparable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        package static func < (lhs: Label, rhs: Label) -> Bool { (lhs.name, lhs.value) < (rhs.name, rhs.value) }
    }

    package var name: String
    /// One sentence for people.
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    package init(name: String, help: String, kind: Kind, samples: [Sample]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    /// A metric of the whole process: one sample without labels.
    package init(_ name: String, _ help: String, _ kind: Kind, _ value: Double) {
        self.init(name: name, help: help, kind: kind, samples: [Sample(value: value)])
    }
}

/// Gives the present value of everything that is measured.
package typealias MetricsSource = @Sendable () async -> [MetricFamily]
