/// A moment of the wall clock, as facts are dated; milliseconds since 1970.
///
/// Facts outlive processes, so they are dated by the wall clock; deadlines inside one process use a `Clock`.
package struct Timestamp: Sendable, Hashable, Comparable, Codable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Seconds since 1970.
    package var seconds: Double { Double(self.milliseconds) / 1000 }

    package func advanced(byMilliseconds amount: Int64) -> Timestamp {
        Timestamp(milliseconds: self.milliseconds + amount)
    }

    package static func < (lhs: Timestamp, rhs: Timestamp) -> Bool { lhs.milliseconds < rhs.milliseconds }

    package init(from decoder: any Decoder) throws {
        self.milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.milliseconds)
    }
}
