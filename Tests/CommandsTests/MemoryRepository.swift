import Planning
import Schema

/// Commits as folders of texts.
struct MemoryRepository: SourceRepository {
    /// The files of each commit by path, by the name that resolves to it; a commit's id is its name, spelt in full.
    private let commits: [String: [String: String]]
    /// Why no file can be read; nil where they can.
    var damage: MartletError?

    init(_ commits: [String: [String: String]]) {
        self.commits = commits
    }

    /// 40 digits that begin with the name's bytes.
    static func id(_ name: String) -> ObjectID {
        let digits = name.utf8.map { String($0, radix: 16) }.joined()
        return digits + String(repeating: "0", count: 40 - digits.count)
    }

    func resolve(_ ref: String) throws -> CommitSummary {
        guard !self.commits.isEmpty else { throw MartletError("RepositoryEmpty", "nothing was committed yet") }
        guard self.commits[ref] != nil else { throw MartletError("RefNotFound", "there is no branch '\(ref)'") }
        return CommitSummary(id: MemoryRepository.id(ref), subject: ref, author: "A <a@example.com>", time: 1)
    }

    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        let old = try base.map { try self.entries(below: subpath, in: $0) } ?? []
        let new = try self.entries(below: subpath, in: head)
        let present = Set(new.map(\.path))
        return TreeChanges(
            changed: new.filter { !old.contains($0) },
            removed: old.map(\.path).filter { !present.contains($0) }
        )
    }

    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        let entries = try self.entries(below: "", in: commit)
        if path.isEmpty || entries.contains(where: { $0.path.hasPrefix(path + "/") }) {
            return TreeEntry(path: path, kind: .folder, object: "folder")
        }
        return entries.first { $0.path == path }
    }

    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        guard let entry = try self.entry(at: path, in: commit) else {
            throw MartletError("PathNotFound", "'\(path)' is not in the commit")
        }
        return entry
    }

    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        try self.entries(below: path, in: commit)
    }

    func size(of object: ObjectID) throws -> Int64 {
        Int64(try self.read(object, limit: .max).count)
    }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        if let damage = self.damage { throw damage }
        for text in self.commits.values.flatMap(\.values) where MemoryRepository.blob(text) == object {
            return Array(text.utf8)
        }
        throw MartletError("ObjectNotFound", "no object \(object)")
    }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        throw MartletError("ObjectNotFound", "nothing is exported here")
    }

    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] { [] }

    func refChanges() -> AsyncStream<Void> { AsyncStream { $0.finish() } }

    private func entries(below folder: String, in commit: ObjectID) throws -> [TreeEntry] {
        guard let files = self.commits.first(where: { MemoryRepository.id($0.key) == commit })?.value else {
            throw MartletError("ObjectNotFound", "no commit \(commit)")
        }
        let wanted = files.filter { folder.isEmpty || $0.key.hasPrefix(folder + "/") }
        guard folder.isEmpty || !wanted.isEmpty else {
            throw MartletError("PathNotFound", "there is no folder '\(folder)'")
        }
        return wanted.sorted { $0.key < $1.key }.map {
            TreeEntry(path: $0.key, kind: .file, object: MemoryRepository.blob($0.value))
        }
    }

    private static func blob(_ text: String) -> ObjectID {
        var hasher = ContentHasher.gitBlob(size: Int64(text.utf8.count))
        Array(text.utf8).withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }
}
