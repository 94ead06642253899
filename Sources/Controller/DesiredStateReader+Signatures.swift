internal import ManifestYAML
internal import Planning

extension DesiredStateReader {
    /// Makes a commit the one in force, if those who may have signed it; nil when it is already, and nobody asked to
    /// look again.
    ///
    /// - Parameter applied: The commit that was in force before a restart: it stays so, whoever signed it.
    func applySigned(
        _ commit: CommitSummary,
        applied: ObjectID?,
        again: Bool,
        _ state: inout State
    ) throws -> DesiredState? {
        guard let signatures = self.signatures else { return try self.apply(commit, again: again, &state) }
        let before = state.loader.desired
        let commit = try self.admit(commit, applied: applied, after: before, by: signatures)
        let desired = try self.apply(commit, again: again, &state) { desired, blamed in
            guard commit.id != applied else { return }
            try signatures.checkRules(of: desired, blaming: blamed, after: before)
        }
        guard var desired else { return nil }
        // Where a source stayed back, it is another commit that is in force.
        if desired.commit.id == commit.id { desired.commit = commit }
        return desired
    }

    /// What may come into force of a commit, with its signer. Throws where nothing may.
    private func admit(
        _ commit: CommitSummary,
        applied: ObjectID?,
        after before: DesiredState?,
        by signatures: SignatureGuard
    ) throws -> CommitSummary {
        let inForce = before?.commit.id ?? applied
        if let sources = self.sources {
            return try sources.admit(commit, inForce: inForce) { newest, source in
                try signatures.admit(newest, of: source, after: before)
            }
        }
        do {
            return try signatures.admit(commit, after: before)
        } catch  where commit.id == inForce {
            // Its signature was only worth knowing.
            return commit
        }
    }
}
