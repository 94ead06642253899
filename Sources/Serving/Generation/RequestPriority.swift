/// Which waiting requests go first.
package enum RequestPriority: Int, Sendable, Hashable, Comparable, CaseIterable {
    /// Copies and replays: only when nobody waits for an answer.
    case background
    /// A caller waits for the answer.
    case normal

    package static func < (lhs: RequestPriority, rhs: RequestPriority) -> Bool { lhs.rawValue < rhs.rawValue }
}
