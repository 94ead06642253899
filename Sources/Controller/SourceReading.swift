package import Planning
package import Schema

/// What one read of the source gave.
package struct SourceReading: Sendable {
    /// The newest commit.
    package var commit: CommitSummary
    /// Of the commit in force; nil when it is the one that was read before, and nobody asked to look again.
    package var desired: DesiredState?
    /// The resources about which it says something else than the one given before; nil: any.
    package var changed: Set<ResourceIdentity>?
    /// Whether some file of the commit in force cannot be read, so that nobody knows all that it declares.
    package var hasUnreadableFiles: Bool
    /// The newest commit, where it is not in force.
    package var pending: PendingCommit?
    /// Why one of the newest commit and the one in force could not be read, where the other could.
    package var failure: (any Error)?
    /// Whether the commit that was in force before a restart is not in the repository any more, while another one waits.
    package var hasLostCommit = false

    package init(
        commit: CommitSummary,
        desired: DesiredState?,
        hasUnreadableFiles: Bool,
        pending: PendingCommit? = nil
    ) {
        self.commit = commit
        self.desired = desired
        self.hasUnreadableFiles = hasUnreadableFiles
        self.pending = pending
    }
}

/// A commit that was read and is not in force.
package struct PendingCommit: Sendable {
    package var commit: CommitSummary
    package var wait: SyncWait
    /// What it would ask for, or why it cannot be read.
    package var desired: Result<DesiredState, MartletError>

    package init(commit: CommitSummary, wait: SyncWait, desired: Result<DesiredState, MartletError>) {
        self.commit = commit
        self.wait = wait
        self.desired = desired
    }
}
