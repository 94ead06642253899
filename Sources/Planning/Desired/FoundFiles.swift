internal import Schema

/// The files of the repository that one field of a manifest names: one file, or all of a folder.
package struct FoundFiles: Sendable, Hashable, Codable {
    package struct File: Sendable, Hashable, Codable {
        /// Below the folder, or the file's own name where a file is named.
        package var path: String
        package var artifact: Artifact

        package init(path: String, artifact: Artifact) {
            self.path = path
            self.artifact = artifact
        }
    }

    /// As the manifest names it.
    package var path: String
    /// The same as a path of the repository: with its source, where there are several.
    package var place: String
    package var isFolder: Bool
    /// Sorted by the bytes of their paths.
    package var files: [File]
    /// Whether nothing but a change of these files, or of others in the folder, can make something else of them: no
    /// symbolic link was followed.
    package var isSettled: Bool

    package init(path: String, place: String? = nil, isFolder: Bool, files: [File], isSettled: Bool) {
        self.path = path
        self.place = place ?? path
        self.isFolder = isFolder
        self.files = files
        self.isSettled = isSettled
    }

    /// What makes two of them the same: of a file its content, of a folder the names and contents of what is in it.
    package var identity: String {
        guard self.isFolder else { return self.files.first?.artifact.identity ?? "" }
        let pairs = self.files.map { JSONValue.array([.string($0.path), .string($0.artifact.identity)]) }
        return "folder:\(Digest(canonical: .array(pairs)).hex)"
    }

    /// The files that differ between two states of what one field names, as paths of the repository.
    package static func changedPaths(from old: FoundFiles, to new: FoundFiles) -> [String] {
        let before = Dictionary(old.files.map { ($0.path, $0.artifact) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.files.map { ($0.path, $0.artifact) }, uniquingKeysWith: { first, _ in first })
        let changed = new.files.filter { before[$0.path]?.identity != $0.artifact.identity }.map(\.artifact.path)
        return (changed + old.files.filter { after[$0.path] == nil }.map(\.artifact.path)).sorted()
    }
}
