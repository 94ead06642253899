package import Schema

/// What a commit that is not in force would have done, if it came into force now.
package struct ProposedPlan: Sendable, Hashable, Codable {
    package var commit: CommitSummary
    package var wait: SyncWait
    package var plan: Plan
    /// All that is wrong or doubtful in it.
    package var diagnostics: [Diagnostic]

    package init(commit: CommitSummary, wait: SyncWait, plan: Plan, diagnostics: [Diagnostic]) {
        self.commit = commit
        self.wait = wait
        self.plan = plan
        self.diagnostics = diagnostics
    }
}
