internal import CLibGit2
internal import Planning
internal import Schema

/// One open libgit2 repository and the lookups that everything else is made of.
///
/// libgit2 keeps its last error per thread and its caches per handle, so one thread at a time uses a handle and no
/// use spans an `await`. `HandlePool` sees to both.
final class RepositoryHandle: @unchecked Sendable /* whoever took it out of the pool is its only user */ {
    let repository: OpaquePointer
    let objects: OpaquePointer

    /// Opens a work tree, its `.git` or a bare repository; the folders above are not searched.
    init(path: String) throws(MartletError) {
        _ = LibGit2.start
        var repository: OpaquePointer?
        try check(git_repository_open(&repository, path), .openRepository(path: path))
        var objects: OpaquePointer?
        let outcome = git_repository_odb(&objects, repository)
        guard outcome == 0, let repository, let objects else {
            defer { git_repository_free(repository) }
            throw MartletError(GitFailure(outcome), .openRepository(path: path))
        }
        self.repository = repository
        self.objects = objects
    }

    deinit {
        git_odb_free(self.objects)
        git_repository_free(self.repository)
    }

    /// Looks up a commit; the caller frees it with `git_commit_free`.
    func commit(_ id: git_oid) throws(MartletError) -> OpaquePointer {
        var id = id
        var commit: OpaquePointer?
        try check(git_commit_lookup(&commit, self.repository, &id), .read(object: id))
        guard let commit else { throw Self.nothing(id) }
        return commit
    }

    /// Looks up a folder's tree; the caller frees it with `git_tree_free`.
    func tree(_ id: git_oid) throws(MartletError) -> OpaquePointer {
        var id = id
        var tree: OpaquePointer?
        try check(git_tree_lookup(&tree, self.repository, &id), .read(object: id))
        guard let tree else { throw Self.nothing(id) }
        return tree
    }

    /// The id of a commit's whole tree.
    func treeID(ofCommit id: git_oid) throws(MartletError) -> git_oid {
        let commit = try self.commit(id)
        defer { git_commit_free(commit) }
        return git_commit_tree_id(commit).pointee
    }

    /// What stands at a path below a tree, or nil; the empty path is the tree itself. Links are not followed.
    func entry(at path: RepositoryPath, below root: git_oid) throws(MartletError) -> TreeEntry? {
        guard !path.isRoot else { return TreeEntry(path: "", kind: .folder, object: root.hexadecimal) }
        let tree = try self.tree(root)
        defer { git_tree_free(tree) }
        var entry: OpaquePointer?
        let outcome = git_tree_entry_bypath(&entry, tree, path.text)
        defer { git_tree_entry_free(entry) }
        // A tree on the way that is missing is reported as "not found" too, but by the object database.
        if outcome == GIT_ENOTFOUND.rawValue, GitFailure(outcome).category != GIT_ERROR_ODB { return nil }
        try check(outcome, .read(object: root))
        return entry.flatMap { TreeEntry($0, path: path.text) }
    }

    /// The tree of the folder at a path below a tree, or nil when nothing stands there; throws for anything else.
    func folder(at path: RepositoryPath, below root: git_oid) throws -> git_oid? {
        guard let entry = try self.entry(at: path, below: root) else { return nil }
        guard entry.kind == .folder else {
            throw MartletError(
                "PathNotAFolder",
                "'\(path)' is a \(entry.kind.rawValue), not a folder of the repository"
            )
        }
        return try LibGit2.objectID(entry.object)
    }

    /// The size of a file's content in bytes, read from the object's header alone.
    func blobSize(_ id: git_oid) throws(MartletError) -> Int64 {
        var id = id
        var (size, type) = (0, GIT_OBJECT_INVALID)
        try check(git_odb_read_header(&size, &type, self.objects, &id), .read(object: id))
        guard type == GIT_OBJECT_BLOB else {
            throw MartletError("ObjectNotAFile", "object \(id.hexadecimal) is not the content of a file")
        }
        return Int64(size)
    }

    private static func nothing(_ id: git_oid) -> MartletError {
        MartletError("ObjectNotFound", "object \(id.hexadecimal) is not in the repository", disposition: .retryable)
    }
}

extension TreeEntry {
    /// Describes an entry that libgit2 holds.
    init(_ entry: OpaquePointer, path: String) {
        let kind: Kind =
            switch git_tree_entry_filemode(entry) {
            case GIT_FILEMODE_TREE: .folder
            case GIT_FILEMODE_LINK: .link
            case GIT_FILEMODE_COMMIT: .submodule
            default: .file
            }
        self.init(path: path, kind: kind, object: git_tree_entry_id(entry).pointee.hexadecimal)
    }
}
