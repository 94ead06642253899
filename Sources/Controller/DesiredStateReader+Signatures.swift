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
        var commit = commit
        if before == nil, commit.id == applied {
            // Whose signature it carries is still worth knowing.
            commit = (try? signatures.admit(commit, after: nil)) ?? commit
        } else {
            commit = try signatures.admit(commit, after: before)
        }
        guard var desired = try self.apply(commit, again: again, &state) else { return nil }
        do {
            if commit.id != applied { try signatures.checkRules(of: desired, after: before) }
        } catch {
            state.preview = nil
            if let before { _ = try state.loader.load(before.commit) } else { state.loader = self.makeLoader() }
            throw error
        }
        // Where a source stayed back, it is another commit that is in force.
        if desired.commit.id == commit.id { desired.commit = commit }
        return desired
    }
}
