package import Schema

/// The newest commit of a source, where it is not in force.
package struct WaitingCommit: Sendable, Hashable, Codable {
    package var commit: CommitSummary
    /// Why, and until when.
    package var wait: SyncWait
    /// What is wrong with it.
    package var errors: [Diagnostic]

    package init(commit: CommitSummary, wait: SyncWait, errors: [Diagnostic]) {
        self.commit = commit
        self.wait = wait
        self.errors = errors
    }
}
