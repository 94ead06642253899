package import Planning
package import Schema

extension CommitArtifacts {
    /// The most files of one entry of a knowledge base.
    private static let documentLimit = 100_000

    /// The file, or the files of the folder that `include` and `exclude` leave, at a path of the repository.
    ///
    /// Globs mean what they mean in a `.martletignore`. Throws what ``findFiles(at:keeping:)`` throws, and
    /// `ArtifactMissing` where a folder has nothing, or more than can be had.
    package func findDocuments(_ documents: KnowledgeBaseSpec.Documents, at path: String) throws -> FoundFiles {
        let included = IgnoreRules(parsing: documents.include.joined(separator: "\n"))
        let excluded = IgnoreRules(parsing: documents.exclude.joined(separator: "\n"))
        let found = try self.findFiles(at: path) { name in
            (documents.include.isEmpty || included.matches(name, isFolder: false))
                && !excluded.matches(name, isFolder: false)
        }
        guard !found.files.isEmpty else {
            let isWhole = documents.include.isEmpty && documents.exclude.isEmpty
            throw MartletError(
                "ArtifactMissing",
                "the folder '\(path)' has no files" + (isWhole ? "" : " that 'include' and 'exclude' leave")
            )
        }
        guard found.files.count <= Self.documentLimit else {
            throw MartletError(
                "ArtifactMissing",
                "the folder '\(path)' has \(found.files.count) files, and \(Self.documentLimit) is the most; name its "
                    + "folders one by one"
            )
        }
        return found
    }

    /// When the bytes of an artifact became what they are: the last commit that touched a file of the repository, or the
    /// time that a file of the machine has.
    package func writtenAt(_ artifact: Artifact) throws -> Timestamp? {
        switch artifact.location {
        case .repository(let path, _):
            try self.repository.log(from: self.commit, under: path, limit: 1).first
                .map { Timestamp(milliseconds: $0.time * 1000) }
        case .file(let path, _):
            CommitArtifacts.modificationTime(of: path)
        }
    }
}
