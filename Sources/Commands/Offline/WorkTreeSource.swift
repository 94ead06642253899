internal import Foundation
internal import Planning
internal import Schema
internal import Synchronization

/// A repository whose newest commit is the work tree as it is on disk: what the next commit would hold.
///
/// The work tree is listed once, when it is first asked for; git's ignore files leave out what they name, unless the last
/// commit has it. Commits, where there is a git repository, are read through it, so that one reader can go from a commit
/// to the work tree.
final class WorkTreeSource: SourceRepository {
    /// The id that stands for the work tree.
    static let id: ObjectID = "worktree"
    /// The work tree as the commit that it is not yet.
    static let summary = CommitSummary(id: id, subject: "the work tree", author: "", time: 0)

    /// Larger files are told apart by size and time until somebody asks for one of them by its path.
    private static let hashedAtOnce: Int64 = 1 << 20

    private let root: String
    private let repository: (any SourceRepository)?
    /// Whose last commit has what git's ignore files do not leave out.
    private let tracking: (any SourceRepository)?
    /// Nil until somebody asks for it: who compares two commits never does.
    private let listing = Mutex<FileTree?>(nil)
    /// Where each object that was named can be read, by its id.
    private let files = Mutex<[ObjectID: FileTree.Item]>([:])

    /// Begins with the folder `root`. Throws `FolderNotFound`.
    ///
    /// - Parameters:
    ///   - repository: Answers for commits; nil where the folder is in no git repository.
    ///   - tracking: That of the folder, where commits are those of another one; nil: the same.
    init(root: String, repository: (any SourceRepository)? = nil, tracking: (any SourceRepository)? = nil) throws {
        try FileTree.requireFolder(root)
        self.root = root
        self.repository = repository
        self.tracking = tracking ?? repository
    }

    /// Lists the work tree, or gives the list that there is.
    private func tree() throws -> FileTree {
        try self.listing.withLock { listing in
            if let listing { return listing }
            let head = try? self.tracking?.resolve("HEAD")
            let tree = try FileTree(root: self.root) { path in
                guard let tracking = self.tracking, let head else { return false }
                return (try? tracking.entry(at: path, in: head.id)) != nil
            }
            listing = tree
            return tree
        }
    }

    func resolve(_ ref: String) throws -> CommitSummary {
        if ref == WorkTreeSource.id { return WorkTreeSource.summary }
        return try self.commits().resolve(ref)
    }

    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        guard head == WorkTreeSource.id else {
            return try self.commits().changes(from: base, to: head, under: subpath)
        }
        let items = try self.tree().items(below: subpath).filter { $0.kind != .folder }
        guard let base else { return TreeChanges(changed: try items.map { try self.listed($0) }, removed: []) }
        let old =
            try self.commits().entry(at: subpath, in: base) == nil
            ? [] : try self.commits().files(below: subpath, in: base)
        let before = Dictionary(old.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let present = Set(items.map(\.path))
        return TreeChanges(
            changed: try items.map { try self.listed($0) }.filter { before[$0.path] != $0 },
            removed: old.map(\.path).filter { !present.contains($0) }
        )
    }

    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        guard commit == WorkTreeSource.id else { return try self.commits().entry(at: path, in: commit) }
        return try self.tree().item(at: path).map { try self.exact($0) }
    }

    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        guard commit == WorkTreeSource.id else { return try self.commits().resolvedEntry(at: path, in: commit) }
        return try self.exact(try self.tree().follow(path))
    }

    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        guard commit == WorkTreeSource.id else { return try self.commits().files(below: path, in: commit) }
        return try self.tree().items(below: path).filter { $0.kind != .folder }.map { try self.exact($0) }
    }

    func size(of object: ObjectID) throws -> Int64 {
        guard let item = self.files.withLock({ $0[object] }) else {
            return try self.commits(for: object).size(of: object)
        }
        return item.size
    }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        guard let item = self.files.withLock({ $0[object] }) else {
            return try self.commits(for: object).read(object, limit: limit)
        }
        guard item.size <= limit else {
            throw MartletError("BlobTooLarge", "'\(item.path)' has \(item.size) bytes, more than \(limit)")
        }
        return try self.tree().read(item)
    }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        guard self.files.withLock({ $0[object] }) != nil else {
            return try self.commits(for: object).export(object, to: file, limit: limit)
        }
        let bytes = try self.read(object, limit: limit)
        try Data(bytes).write(to: URL(filePath: file), options: .atomic)
    }

    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] {
        head == WorkTreeSource.id ? [] : try self.commits().log(from: head, under: subpath, limit: limit)
    }

    func refChanges() -> AsyncStream<Void> {
        self.repository?.refChanges() ?? AsyncStream { $0.finish() }
    }

    private func commits() throws -> any SourceRepository {
        guard let repository = self.repository else {
            throw MartletError("RepositoryNotFound", "'\(self.root)' is in no git repository: it has no commits")
        }
        return repository
    }

    /// Where an object is read that is no file of the work tree. Throws, as each repository does that lacks an object,
    /// `ObjectNotFound`: the next one may have it.
    private func commits(for object: ObjectID) throws -> any SourceRepository {
        guard let repository = self.repository else {
            throw MartletError(
                "ObjectNotFound",
                "object \(object) is no file of '\(self.root)', and there are no commits to read it from"
            )
        }
        return repository
    }

    private func listed(_ item: FileTree.Item) throws -> TreeEntry {
        guard item.size > WorkTreeSource.hashedAtOnce else { return try self.exact(item) }
        return self.remember(item, as: "\(item.path)@\(item.size)@\(item.modified)")
    }

    private func exact(_ item: FileTree.Item) throws -> TreeEntry {
        self.remember(item, as: try self.tree().blobID(of: item))
    }

    private func remember(_ item: FileTree.Item, as object: ObjectID) -> TreeEntry {
        self.files.withLock { $0[object] = item }
        return TreeEntry(path: item.path, kind: item.kind, object: object)
    }
}
