internal import CLibGit2
internal import Planning
internal import Schema

/// Compares two folders of the object database by walking both at once.
///
/// A folder whose id is the same on both sides is never opened, so the cost follows the change, not the repository.
/// Git sorts a folder's entries as if the names of folders ended in `/`, so both lists come out sorted by the bytes of
/// their whole paths.
struct TreeComparison {
    /// Deeper folders than this are refused, since each level takes stack space.
    private static let deepest = 256

    let handle: RepositoryHandle
    private(set) var changes = TreeChanges(changed: [], removed: [])
    private var depth = 0

    init(handle: RepositoryHandle) {
        self.handle = handle
    }

    /// Adds what differs between two folders; nil is an empty one. `folder` is where they stand.
    mutating func compare(_ old: git_oid?, _ new: git_oid?, below folder: String) throws {
        guard self.depth < Self.deepest else {
            throw MartletError("PathTooDeep", "'\(folder)' is nested deeper than \(Self.deepest) folders")
        }
        self.depth += 1
        defer { self.depth -= 1 }
        let oldTree = try old.map { try self.handle.tree($0) }
        defer { git_tree_free(oldTree) }
        let newTree = try new.map { try self.handle.tree($0) }
        defer { git_tree_free(newTree) }

        let (oldCount, newCount) = (oldTree.map(git_tree_entrycount) ?? 0, newTree.map(git_tree_entrycount) ?? 0)
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < oldCount || newIndex < newCount {
            let before = oldIndex < oldCount ? git_tree_entry_byindex(oldTree, oldIndex) : nil
            let after = newIndex < newCount ? git_tree_entry_byindex(newTree, newIndex) : nil
            let order = Self.order(before, after)
            if order <= 0 { oldIndex += 1 }
            if order >= 0 { newIndex += 1 }
            try self.compareEntries(order <= 0 ? before : nil, order >= 0 ? after : nil, below: folder)
        }
    }

    /// Negative when the old entry comes first or stands alone, positive when the new one does, 0 for the same name.
    private static func order(_ before: OpaquePointer?, _ after: OpaquePointer?) -> Int32 {
        guard let before else { return 1 }
        guard let after else { return -1 }
        return git_tree_entry_cmp(before, after)
    }

    /// Compares two entries of one name, both folders or both none, of which one may be missing.
    private mutating func compareEntries(
        _ before: OpaquePointer?,
        _ after: OpaquePointer?,
        below folder: String
    ) throws {
        if let before, let after, Self.isSame(before, after) { return }
        guard let either = after ?? before, let name = git_tree_entry_name(either) else { return }
        let path = folder.isEmpty ? String(cString: name) : "\(folder)/\(String(cString: name))"
        if git_tree_entry_type(either) == GIT_OBJECT_TREE {
            try self.compare(
                before.map { git_tree_entry_id($0).pointee },
                after.map { git_tree_entry_id($0).pointee },
                below: path
            )
        } else if let after {
            self.changes.changed.append(TreeEntry(after, path: path))
        } else {
            self.changes.removed.append(path)
        }
    }

    /// The same content and kind; whether a file may be executed does not count.
    private static func isSame(_ before: OpaquePointer, _ after: OpaquePointer) -> Bool {
        guard git_oid_equal(git_tree_entry_id(before), git_tree_entry_id(after)) == 1 else { return false }
        let (old, new) = (git_tree_entry_filemode(before), git_tree_entry_filemode(after))
        return old == new || (old != GIT_FILEMODE_LINK && new != GIT_FILEMODE_LINK)
    }
}
