internal import ManifestYAML
internal import Planning
internal import Schema

/// The repositories of a file of sources as a controller that follows them would read them, without asking any server.
struct OfflineSources {
    /// The only one, or all of them as one.
    let repository: any SourceRepository
    /// Which part of it counts.
    let path: String
    /// Of manifests that name none.
    let namespace: String
    let scopes: [String: NamespaceScope]
    /// What the refs of the sources say.
    let followed: CommitSummary
    /// The same, with the work trees in the place of commits that stand for sources.
    let proposed: CommitSummary
    /// The only source; nil where there are several.
    private let only: String?

    /// Opens all of them. Throws what is wrong with each that cannot be read, a line for each.
    ///
    /// - Parameters:
    ///   - workTrees: Folders that are read in the place of sources, by the names of these.
    ///   - stateDirectory: Where the clones of remote repositories are looked for; nil: the default place.
    ///   - needsCommits: Whether the ref of a source is needed even where a folder stands for it.
    init(_ file: RunSources, workTrees: [String: String], stateDirectory: String?, needsCommits: Bool) throws {
        let names = file.sources.map(\.name)
        if let stranger = workTrees.keys.sorted().first(where: { !names.contains($0) }) {
            let hint = NearestWord.hint(
                for: stranger,
                among: names,
                otherwise: "; there is \(names.joined(separator: ", "))"
            )
            throw MartletError("SourceUnknown", "--work-tree names '\(stranger)', and no source is called that\(hint)")
        }
        var (members, commits, problems): ([SourceSet.Member], [String: CommitSummary], [String]) = ([], [:], [])
        for source in file.sources {
            let folder = workTrees[source.name]
            let opened = Result { try CommandEnvironment.current.openSource(source, file.folder, stateDirectory) }
            do {
                let own = try folder.map { try OfflineSources.workTree($0, beside: try? opened.get()) } ?? opened.get()
                let member = SourceSet.Member(
                    name: source.name,
                    repository: own,
                    location: source.url,
                    ref: source.ref,
                    path: source.path ?? ""
                )
                members.append(member)
                if folder == nil || needsCommits {
                    _ = try opened.get()
                    commits[source.name] = try SourceSet.newest(of: member)
                }
            } catch {
                problems.append("source '\(source.name)': \(error)")
            }
        }
        guard problems.isEmpty else { throw MartletError("SourcesUnreadable", problems.joined(separator: "\n")) }
        let proposed = commits.merging(workTrees.mapValues { _ in WorkTreeSource.summary }) { $1 }
        if let source = file.sources.first, let member = members.first, members.count == 1 {
            (self.repository, self.path, self.only) = (member.repository, member.path, source.name)
            self.namespace = source.namespace
            self.scopes = ["": NamespaceScope(source)]
            self.proposed = proposed[source.name] ?? WorkTreeSource.summary
            self.followed = commits[source.name] ?? self.proposed
        } else {
            (self.repository, self.path, self.only) = (SourceSet(members), SourceSet.followedFolders, nil)
            self.namespace = "default"
            self.scopes = Dictionary(uniqueKeysWithValues: file.sources.map { ($0.name, NamespaceScope($0)) })
            (self.followed, self.proposed) = (CommitSummary(commits), CommitSummary(proposed))
        }
    }

    /// How a state of the sources is named to people: `base@1a2b3c4d5e, shop@worktree`.
    func name(of commit: CommitSummary) -> String {
        let set = self.only.map { CommitSet([$0: commit.id]) } ?? CommitSet(id: commit.id)
        return set?.description ?? commit.id
    }

    /// A folder as it is on disk, which leaves out what its own repository ignores, with the commits of the source that it
    /// stands for.
    private static func workTree(_ folder: String, beside source: (any SourceRepository)?) throws -> WorkTreeSource {
        let own = try Self.repository(in: folder)
        if own != nil, OfflineRepository.isBare(folder) {
            throw MartletError(
                "WorkTreeMissing",
                "'\(folder)' is a bare repository: --work-tree names a folder of files"
            )
        }
        if own == nil, let part = OfflineRepository.partOfAnother(folder, place: "as the source's path") { throw part }
        return try WorkTreeSource(root: folder, repository: source, tracking: own)
    }

    /// The repository that a folder is; nil where it is none.
    private static func repository(in folder: String) throws -> (any SourceRepository)? {
        do {
            return try CommandEnvironment.current.openRepository(folder)
        } catch let error as MartletError where error.code == "RepositoryNotFound" {
            return nil
        }
    }
}
