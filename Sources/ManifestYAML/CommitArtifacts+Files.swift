package import Planning
internal import Schema

extension CommitArtifacts {
    /// The file, or all the files of the folder, at a path of the repository.
    ///
    /// Links are followed within the commit, and have to lead to files inside of a folder. Throws `ArtifactMissing`, and
    /// what the repository says of a path that leads nowhere or out of it.
    ///
    /// - Parameter isKept: Whether a file of a folder is wanted, by its path there.
    package func findFiles(
        at path: String,
        keeping isKept: (_ name: String) -> Bool = { _ in true }
    ) throws -> FoundFiles {
        let place = self.place(of: path)
        let entry = try self.repository.resolvedEntry(at: place, in: self.commit)
        switch entry.kind {
        case .file:
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let file = FoundFiles.File(path: name, artifact: try self.artifact(entry.object, at: place))
            return FoundFiles(path: path, place: place, isFolder: false, files: [file], isSettled: entry.path == place)
        case .folder:
            return try self.findFolder(at: path, place, entry, keeping: isKept)
        case .link, .submodule, .special:
            throw MartletError("ArtifactMissing", "'\(place)' is a \(entry.kind.rawValue), not a file or folder")
        }
    }

    private func findFolder(
        at path: String,
        _ place: String,
        _ folder: TreeEntry,
        keeping isKept: (String) -> Bool
    ) throws -> FoundFiles {
        var isSettled = folder.path == place
        var files: [FoundFiles.File] = []
        for entry in try self.repository.files(below: folder.path, in: self.commit) {
            // The folder's own path may have been reached by a link.
            let name = String(entry.path.dropFirst(folder.path.isEmpty ? 0 : folder.path.count + 1))
            guard isKept(name) else { continue }
            var object = entry.object
            switch entry.kind {
            case .file: break
            case .link:
                let target = try self.repository.resolvedEntry(at: entry.path, in: self.commit)
                guard target.kind == .file else {
                    throw MartletError(
                        "ArtifactMissing",
                        "the link '\(entry.path)' leads to a \(target.kind.rawValue); in '\(place)' links may lead to files"
                    )
                }
                (object, isSettled) = (target.object, false)
            case .folder, .submodule, .special:
                throw MartletError(
                    "ArtifactMissing",
                    "'\(entry.path)' is a \(entry.kind.rawValue), which is no part of the commit; put its files into '\(place)'"
                )
            }
            files.append(FoundFiles.File(path: name, artifact: try self.artifact(object, at: entry.path)))
        }
        return FoundFiles(path: path, place: place, isFolder: true, files: files, isSettled: isSettled)
    }

    private func artifact(_ object: ObjectID, at path: String) throws -> Artifact {
        Artifact(
            location: .repository(path: path, blob: object),
            size: try self.repository.size(of: object)
        )
    }
}
