internal import Planning
internal import Schema

/// A repository from which manifests are hidden that a verb need not read.
struct HidingSource: SourceRepository {
    let source: any SourceRepository
    /// What is to be seen of the first commit that is read, by path and in full.
    let listing: [TreeEntry]
    let first: ObjectID
    /// Where the first commit is compared with another one, what differs: a work tree is listed and hashed for it.
    let differences: [ObjectID: TreeChanges]
    let subpath: String
    /// Files that are not seen in ``folders``, by path; nobody asks for them by name.
    let hidden: Set<String>
    /// Those that overlays bring in.
    let folders: Set<String>

    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        if subpath == self.subpath {
            if base == nil, head == self.first { return TreeChanges(changed: self.listing, removed: []) }
            if base == self.first, let known = self.differences[head] { return known }
        }
        return try self.source.changes(from: base, to: head, under: subpath)
    }

    func resolve(_ ref: String) throws -> CommitSummary { try self.source.resolve(ref) }

    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        try self.source.entry(at: path, in: commit)
    }

    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        try self.source.resolvedEntry(at: path, in: commit)
    }

    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        let files = try self.source.files(below: path, in: commit)
        return self.folders.contains(path) ? files.filter { !self.hidden.contains($0.path) } : files
    }

    func size(of object: ObjectID) throws -> Int64 { try self.source.size(of: object) }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] { try self.source.read(object, limit: limit) }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        try self.source.export(object, to: file, limit: limit)
    }

    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] {
        try self.source.log(from: head, under: subpath, limit: limit)
    }

    func refChanges() -> AsyncStream<Void> { self.source.refChanges() }
}
