internal import GitSource
internal import Planning
internal import Synchronization

/// A repository of this machine that may come later, or go: among several sources, its absence holds up no other.
final class LateRepository: SourceRepository {
    private let path: String
    private let poll: Duration
    private let opened = Mutex<GitRepository?>(nil)

    init(path: String, poll: Duration) {
        self.path = path
        self.poll = poll
    }

    /// The repository, opened once it is there. Throws why it is not.
    func repository() throws -> GitRepository {
        try self.opened.withLock { opened in
            if let opened { return opened }
            let repository = try GitRepository(path: self.path)
            opened = repository
            return repository
        }
    }

    func resolve(_ ref: String) throws -> CommitSummary { try self.repository().resolve(ref) }

    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        try self.repository().changes(from: base, to: head, under: subpath)
    }

    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        try self.repository().entry(at: path, in: commit)
    }

    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        try self.repository().resolvedEntry(at: path, in: commit)
    }

    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        try self.repository().files(below: path, in: commit)
    }

    func size(of object: ObjectID) throws -> Int64 { try self.repository().size(of: object) }

    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        try self.repository().read(object, limit: limit)
    }

    func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        try self.repository().export(object, to: file, limit: limit)
    }

    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] {
        try self.repository().log(from: head, under: subpath, limit: limit)
    }

    func releaseMemory() { self.opened.withLock { $0 }?.releaseMemory() }

    /// Looks at each poll until the repository is there, then follows its refs.
    func refChanges() -> AsyncStream<Void> {
        if let repository = try? self.repository() { return repository.refChanges() }
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        // Its parent is the stream: whoever stops to read it ends the task.
        let waiting = Task {
            while !Task.isCancelled {
                if let repository = try? self.repository() {
                    let changes = repository.refChanges()
                    continuation.yield()
                    for await _ in changes { continuation.yield() }
                    break
                }
                try? await Task.sleep(for: self.poll)
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in waiting.cancel() }
        return stream
    }
}
