internal import Foundation

extension Timestamp {
    /// In seconds and in UTC, for sentences: `2026-03-01T22:00:00Z`.
    package var text: String {
        Date(timeIntervalSince1970: self.seconds).formatted(.iso8601)
    }
}
