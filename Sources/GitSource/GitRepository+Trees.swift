internal import CLibGit2
package import Planning
internal import Schema

extension GitRepository {
    package func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        let path = try RepositoryPath(subpath)
        let (base, head) = (try base.map { try LibGit2.objectID($0) }, try LibGit2.objectID(head))
        return try self.handles.read { handle in
            let new = try handle.folder(at: path, inCommit: head)
            let old = try base.flatMap { try handle.folder(at: path, below: try handle.treeID(ofCommit: $0)) }
            var comparison = TreeComparison(handle: handle)
            try comparison.compare(old, new, below: path.text)
            return comparison.changes
        }
    }

    package func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        let (path, commit) = (try RepositoryPath(path), try LibGit2.objectID(commit))
        return try self.handles.read { handle in
            try handle.entry(at: path, below: try handle.treeID(ofCommit: commit))
        }
    }

    package func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        let (path, commit) = (try RepositoryPath(path), try LibGit2.objectID(commit))
        return try self.handles.read { handle in
            let root = try handle.treeID(ofCommit: commit)
            var resolution = LinkResolution(
                entry: { try handle.entry(at: $0, below: root) },
                target: { try handle.linkTarget(of: $0) }
            )
            return try resolution.resolve(path)
        }
    }

    package func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        let (path, commit) = (try RepositoryPath(path), try LibGit2.objectID(commit))
        return try self.handles.read { handle in
            let folder = try handle.folder(at: path, inCommit: commit)
            var comparison = TreeComparison(handle: handle)
            try comparison.compare(nil, folder, below: path.text)
            return comparison.changes.changed
        }
    }
}

extension RepositoryHandle {
    /// The folder at a path in a commit; throws when it is not there.
    fileprivate func folder(at path: RepositoryPath, inCommit commit: git_oid) throws -> git_oid {
        guard let folder = try self.folder(at: path, below: try self.treeID(ofCommit: commit)) else {
            throw MartletError(
                "PathNotFound",
                "there is no folder '\(path)' in commit \(commit.hexadecimal.prefix(10))"
            )
        }
        return folder
    }

    /// Where a symbolic link leads; git keeps that as the link's content.
    fileprivate func linkTarget(of link: TreeEntry) throws -> String {
        let bytes = try self.withBlob(try LibGit2.objectID(link.object), limit: LinkResolution.longestTarget) { bytes in
            Array(bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
