internal import Foundation
internal import Planning

/// Amounts of memory for people.
enum ByteText {
    /// `2.8 MiB`; at most one digit behind the point.
    static func render(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var amount = Double(bytes)
        var unit = 0
        while abs(amount) >= 1024, unit < units.count - 1 {
            amount /= 1024
            unit += 1
        }
        let rounded = (amount * 10).rounded() / 10
        return rounded == rounded.rounded() ? "\(Int64(rounded)) \(units[unit])" : "\(rounded) \(units[unit])"
    }
}

/// Moments for people.
enum TimeText {
    /// `2026-03-01T12:00:00.250Z`.
    static func render(_ moment: Timestamp) -> String {
        Date(timeIntervalSince1970: moment.seconds)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
