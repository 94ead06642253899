internal import Planning
internal import Schema

extension Reconciler {
    /// Notes that a commit was refused for its signatures, in the audit log too; false for any other error.
    ///
    /// - Parameter source: Whose commit it is, among several.
    func note(refused error: MartletError, of source: String? = nil) -> Bool {
        guard error.code == SignatureGuard.rejected, let refused = error.cause as? RefusedCommit else { return false }
        let message = source.map { "source '\($0)': \(error.message)" } ?? error.message
        self.note(.warning, error.code, message, commit: refused.id)
        self.auditCommit("refuse", refused.id, because: message)
        return true
    }

    /// Notes in the audit log whose signature let a commit in.
    func noteSigner(of commit: CommitSummary) {
        guard let signer = commit.signer else { return }
        self.auditCommit("accept", commit.id, because: commit.subject, signer: signer)
    }

    private func auditCommit(_ action: String, _ commit: ObjectID, because reason: String, signer: String? = nil) {
        self.pending.append(
            .audit(
                AuditEntry(
                    at: self.ports.wallClock.now(),
                    actor: .controller,
                    action: action,
                    subject: "commit/\(commit)",
                    reason: reason,
                    origin: "controller",
                    commit: commit,
                    signer: signer
                )
            )
        )
    }
}
