internal import ManifestYAML
internal import Planning

extension DesiredStateReader {
    /// All sources, where there are several.
    var sources: SourceSet? { self.repository as? SourceSet }

    /// Loads a commit. Where the newest commit of one of several sources cannot be read, that source stays back, and the
    /// state is of another commit than the one that was asked for.
    func load(_ commit: CommitSummary, _ loader: inout DesiredStateLoader) throws -> DesiredState {
        do {
            let desired = try loader.load(commit)
            try self.sources?.settle(commit.id)
            return desired
        } catch {
            guard let sources = self.sources else { throw error }
            return try sources.advance(to: commit) { try loader.load($0) }
        }
    }
}
