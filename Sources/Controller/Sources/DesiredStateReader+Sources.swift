internal import ManifestYAML
internal import Planning

extension DesiredStateReader {
    /// Throws where a state that was read may not come into force, for which a commit is to blame.
    typealias Check = (DesiredState, _ blamed: ObjectID) throws -> Void

    /// All sources, where there are several.
    var sources: SourceSet? { self.repository as? SourceSet }

    /// Loads a commit. Where the newest commit of one of several sources cannot be read, or may not come into force, that
    /// source stays back, and the state is of another commit than the one that was asked for; then it was loaded in
    /// more than one go, and is not whole.
    func load(
        _ commit: CommitSummary,
        _ loader: inout DesiredStateLoader,
        _ check: Check
    ) throws -> (desired: DesiredState, isWhole: Bool) {
        do {
            let desired = try self.load(commit, blaming: commit.id, &loader, check)
            try self.sources?.settle(commit.id)
            return (desired, true)
        } catch {
            guard let sources = self.sources else { throw error }
            return (try sources.advance(to: commit) { try self.load($0, blaming: $1, &loader, check) }, false)
        }
    }

    /// Loads a commit, or leaves the loader where it is.
    private func load(
        _ commit: CommitSummary,
        blaming blamed: ObjectID,
        _ loader: inout DesiredStateLoader,
        _ check: Check
    ) throws -> DesiredState {
        let before = loader.desired?.commit
        let desired = try loader.load(commit)
        do {
            try check(desired, blamed)
        } catch {
            if let before { _ = try loader.load(before) } else { loader = self.makeLoader() }
            throw error
        }
        return desired
    }
}
