internal import Planning
internal import Schema
internal import Synchronization

/// A repository in memory: commits are listings of paths; nothing about it is git but its port.
final class MemoryRepository: SourceRepository {
    struct File: Hashable {
        var bytes: [UInt8]
        var kind = TreeEntry.Kind.file
        /// What the header says, for files that nobody could hold.
        var claimedSize: Int64?
    }

    private struct State {
        /// By the bytes of their paths, as git knows them.
        var commits: [ObjectID: [[UInt8]: TreeEntry]] = [:]
        var blobs: [ObjectID: File] = [:]
        var readBlobs: [ObjectID] = []
        var lookups: [String] = []
        var releases = 0
    }

    private let state = Mutex(State())

    /// Adds a commit with exactly these files.
    func commit(_ id: ObjectID, _ files: [String: File]) {
        self.commit(id, files.map { ($0.key, $0.value) })
    }

    /// Adds a commit with exactly these files, of which some may have paths that are equal as strings.
    func commit(_ id: ObjectID, _ files: [(String, File)]) {
        self.state.withLock { state in
            state.commits[id] = Dictionary(
                uniqueKeysWithValues: files.map { path, file in
                    let object = Digest(of: file.bytes + Array("\(file.kind)\(file.claimedSize ?? 0)".utf8)).hex
                    state.blobs[object] = file
                    return (Array(path.utf8), TreeEntry(path: path, kind: file.kind, object: object))
                }
            )
        }
    }

    /// Adds a commit with exactly these text files.
    func commit(_ id: ObjectID, texts: [String: String]) {
        self.commit(id, texts: texts.map { ($0.key, $0.value) })
    }

    /// Adds a commit with exactly these text files, of which some may have paths that are equal as strings.
    func commit(_ id: ObjectID, texts: [(String, String)]) {
        self.commit(id, texts.map { ($0.0, File(bytes: Array($0.1.utf8))) })
    }

    /// How often it was told to give up memory.
    var releases: Int { self.state.withLock(\.releases) }

    func releaseMemory() { self.state.withLock { $0.releases += 1 } }

    /// How many blobs were read since the last call.
    func takeReadCount() -> Int {
        self.state.withLock { state in
            defer { state.readBlobs = [] }
            return state.readBlobs.count
        }
    }

    /// The paths that were looked up since the last call.
    func takeLookups() -> [String] {
        self.state.withLock { state in
            defer { state.lookups = [] }
            return state.lookups
        }
    }

    func resolve(_ ref: String) throws -> CommitSummary {
        CommitSummary(id: ref, subject: "", author: "", time: 0)
    }

    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        try self.state.withLock { state in
            guard let new = state.commits[head] else { throw MartletError("RefNotFound", "there is no commit \(head)") }
            let old = base.flatMap { state.commits[$0] } ?? [:]
            let isBelow = { (path: String) in subpath.isEmpty || path.hasPrefix(subpath + "/") }
            return TreeChanges(
                changed: new.filter { isBelow($1.path) && old[$0]?.object != $1.object }.values.sorted {
                    $0.path < $1.path
                },
                removed: old.filter { isBelow($1.path) && new[$0] == nil }.values.map(\.path).sorted()
            )
        }
    }

    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        self.state.withLock { $0.commits[commit]?[Array(path.utf8)] }
    }

    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        self.state.withLock { $0.lookups.append(path) }
        guard let entry = try self.entry(at: path, in: commit) else { throw MartletError("PathNotFound", path) }
        guard entry.kind == .link, let file = self.state.withLock({ $0.blobs[entry.object] }) else { return entry }
        return try self.resolvedEntry(at: String(decoding: file.bytes, as: UTF8.self), in: commit)
    }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        throw MartletError("NotSupported", "this repository lies in memory only")
    }

    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        if let entry = try self.entry(at: path, in: commit) {
            let what = entry.kind.rawValue
            throw MartletError("PathNotAFolder", "'\(path)' is a \(what), not a folder of the repository")
        }
        let files = try self.changes(from: nil, to: commit, under: path).changed
        if files.isEmpty { throw MartletError("PathNotFound", "there is no folder \(path)") }
        return files
    }

    func size(of object: ObjectID) throws -> Int64 {
        try self.state.withLock { state in
            guard let file = state.blobs[object] else { throw MartletError("ObjectNotFound", object) }
            return file.claimedSize ?? Int64(file.bytes.count)
        }
    }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        try self.state.withLock { state in
            guard let file = state.blobs[object], file.claimedSize == nil else {
                throw MartletError("BlobTooLarge", "nobody may read this one")
            }
            state.readBlobs.append(object)
            return file.bytes
        }
    }

    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] { [] }

    func refChanges() -> AsyncStream<Void> { AsyncStream { $0.finish() } }
}
