internal import Planning

/// A read of the source that was asked for.
struct SourceRead: Sendable {
    typealias Waiter = CheckedContinuation<CommitSummary, any Error>

    /// Whether a commit that is known is read anew.
    var again = false
    /// What a person wants to be in force; nil: what the gate lets in by itself.
    var request: SyncGate.Request?
    /// Who asked for it.
    var actor = Actor.controller
    /// Those who want to know which commit is in force afterwards.
    var waiters: [Waiter] = []

    /// Whether it tells what the newest commit is, whatever else.
    var looksAtNewest: Bool {
        switch self.request {
        case .newest, nil: true
        case .commit: false
        }
    }

    /// Lets one more wait for it, who wants the source read from now on.
    mutating func join(_ waiter: Waiter) {
        self.again = true
        self.waiters.append(waiter)
    }
}
