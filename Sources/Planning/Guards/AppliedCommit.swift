/// The commit of a source that is in force, as it is written down: what a restart reads again.
package struct AppliedCommit: Sendable, Hashable, Codable {
    /// Which source; see ``SyncGate``.
    package var source: String
    package var commit: CommitSummary
    package var at: Timestamp
    /// Who applied it: the controller by itself, or the person who asked.
    package var actor: Actor

    package init(source: String, commit: CommitSummary, at: Timestamp, actor: Actor = .controller) {
        self.source = source
        self.commit = commit
        self.at = at
        self.actor = actor
    }
}
