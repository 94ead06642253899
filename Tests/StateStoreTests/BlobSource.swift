import Foundation
import Planning
import Schema
import Synchronization

/// A repository of nothing but blobs, whose exports can be held and counted.
final class BlobSource: SourceRepository {
    private struct State {
        var blobs: [ObjectID: [UInt8]] = [:]
        var exports = 0
    }

    private let state = Mutex(State())
    private let gate = NSCondition()
    private let isHeld = Mutex(false)

    /// Adds a blob and gives its artifact, under the id that git would give it.
    func add(_ text: String) -> Artifact {
        let bytes = Array(text.utf8)
        var hasher = ContentHasher.gitBlob(size: Int64(bytes.count))
        bytes.withUnsafeBytes { hasher.update($0) }
        let id = hasher.finish()
        self.state.withLock { $0.blobs[id] = bytes }
        return Artifact(location: .repository(path: "models/tiny", blob: id), size: Int64(bytes.count))
    }

    /// Forgets every blob, as a repository does that was rewritten and cleaned up.
    func removeAll() {
        self.state.withLock { $0.blobs = [:] }
    }

    /// How many exports have begun.
    var exports: Int {
        self.state.withLock { $0.exports }
    }

    /// Makes exports wait until they are released.
    func hold() {
        self.isHeld.withLock { $0 = true }
    }

    /// Lets held exports go on.
    func release() {
        self.isHeld.withLock { $0 = false }
        self.gate.lock()
        self.gate.broadcast()
        self.gate.unlock()
    }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        self.state.withLock { $0.exports += 1 }
        self.gate.lock()
        while self.isHeld.withLock({ $0 }) { self.gate.wait() }
        self.gate.unlock()
        try Data(try self.read(object, limit: limit)).write(to: URL(fileURLWithPath: file), options: .atomic)
    }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        guard let bytes = self.state.withLock({ $0.blobs[object] }) else {
            throw MartletError("ObjectNotFound", "no object \(object)")
        }
        return bytes
    }

    func size(of object: ObjectID) throws -> Int64 { Int64(try self.read(object, limit: .max).count) }
    func resolve(_ ref: String) throws -> CommitSummary { throw MartletError("RefNotFound", ref) }
    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        TreeChanges(changed: [], removed: [])
    }
    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? { nil }
    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        throw MartletError("PathNotFound", path)
    }
    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] { [] }
    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] { [] }
    func refChanges() -> AsyncStream<Void> { AsyncStream { $0.finish() } }
}
