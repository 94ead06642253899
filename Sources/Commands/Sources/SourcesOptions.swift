internal import ArgumentParser
internal import Schema

/// The repositories that an offline verb reads side by side.
struct SourcesOptions: ParsableArguments {
    @Option(help: "A file that names several repositories, as 'martlet run --sources' takes it, instead of one.")
    var sources: String?

    @Option(
        help: ArgumentHelp(
            "With --sources: read this source as the folder has it, not at its ref; may be given more than once.",
            valueName: "name=folder"
        )
    )
    var workTree: [String] = []

    /// Whether several repositories are asked for.
    var isGiven: Bool { self.sources != nil }

    func validate() throws {
        if !self.isGiven, !self.workTree.isEmpty { throw ValidationError("--work-tree goes with --sources") }
        _ = try self.folders()
    }

    /// Opens the repositories; nil where the verb reads one alone.
    ///
    /// - Parameters:
    ///   - stateDirectory: Where the clones of remote repositories are looked for; nil: the default place.
    ///   - needsCommits: Whether the ref of a source is needed even where a folder stands for it.
    func open(_ stateDirectory: String?, needsCommits: Bool = false) throws -> OfflineSources? {
        guard let sources = self.sources else { return nil }
        return try OfflineSources(
            try RunSources(path: sources),
            workTrees: try self.folders(),
            stateDirectory: stateDirectory ?? CommandEnvironment.current.environment["MARTLET_STATE_DIR"],
            needsCommits: needsCommits
        )
    }

    /// The folders that stand for sources, by the sources' names.
    private func folders() throws -> [String: String] {
        var folders: [String: String] = [:]
        for text in self.workTree {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("--work-tree '\(text)' is not NAME=FOLDER, such as shop=../shop")
            }
            guard folders.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("--work-tree names two folders for source '\(parts[0])'; leave one out")
            }
        }
        return folders
    }
}
