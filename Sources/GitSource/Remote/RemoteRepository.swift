internal import Foundation
package import Planning
package import Schema
internal import Synchronization

/// A remote repository, read from a bare clone of its own that fetches keep up to date.
///
/// ``run()`` fetches at each poll and whenever ``refresh()`` asks. A fetch that fails changes nothing: what was fetched
/// last is read on, and ``freshness`` says what is wrong. A clone that an earlier process left is used at once.
package final class RemoteRepository: SourceRepository {
    package let options: RemoteOptions
    /// The folder of the clone; made by the first fetch that gets that far.
    package let folder: String
    let surroundings: Surroundings
    let state: Mutex<State>
    let alarm = Alarm()

    /// What a remote repository needs of the world.
    package struct Surroundings: Sendable {
        package var fetcher: Fetcher
        /// Looks up a secret; throws what to do when it cannot be had.
        package var secret: @Sendable (SecretReference) throws -> String
        package var clock: any Clock<Duration>
        package var wallClock: any WallClock
        /// Draws the jitter of backoff, from 0 to 1.
        package var jitter: @Sendable () -> Double

        package init(
            fetcher: @escaping Fetcher,
            secret: @escaping @Sendable (SecretReference) throws -> String,
            clock: any Clock<Duration>,
            wallClock: any WallClock,
            jitter: @escaping @Sendable () -> Double
        ) {
            self.fetcher = fetcher
            self.secret = secret
            self.clock = clock
            self.wallClock = wallClock
            self.jitter = jitter
        }
    }

    struct State {
        /// The open clone; nil until there is one.
        var clone: GitRepository?
        /// The commit that the followed ref had after the last fetch, as far as this process knows.
        var commit: ObjectID?
        var freshness = SourceFreshness()
        /// How many fetches failed in a row.
        var failures = 0
        var waiters: [CheckedContinuation<Void, any Error>] = []
        var followers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextFollower = 0
        var hasEnded = false
        /// The size of the clone after it was last repacked, in bytes.
        var repackedBytes: Int64 = 0
    }

    /// Takes the folder of all clones, which need not exist. Touches no network.
    ///
    /// Throws `BadRemote` when the options contradict each other.
    package init(_ options: RemoteOptions, clonesIn folder: String, surroundings: Surroundings) throws {
        try options.check()
        self.options = options
        self.folder = "\(folder)/\(options.cloneName)"
        self.surroundings = surroundings
        self.state = Mutex(State())
        self.state.withLock { $0.commit = try? self.clone(&$0).resolve(CloneFolder.followedRef).id }
    }

    package var freshness: SourceFreshness? { self.state.withLock(\.freshness) }

    /// The clone, opened once it is there; until then throws why it is not.
    package var clone: GitRepository {
        get throws { try self.state.withLock { try self.clone(&$0) } }
    }

    private func clone(_ state: inout State) throws -> GitRepository {
        if let clone = state.clone { return clone }
        guard CloneFolder(path: self.folder).hasFollowedRef else {
            throw state.freshness.failure
                ?? MartletError(
                    "NotFetchedYet",
                    "'\(self.options.url)' has not been fetched yet; that is under way",
                    disposition: .waiting
                )
        }
        let clone = try GitRepository(path: self.folder)
        state.clone = clone
        return clone
    }

    package func refChanges() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = self.state.withLock { state in
            state.nextFollower += 1
            state.followers[state.nextFollower] = continuation
            return state.nextFollower
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.followers.removeValue(forKey: id) }
        }
        return stream
    }
}

// Reading: all of it from the clone.
extension RemoteRepository {
    /// Resolves the followed ref as the last good fetch left it, and ids of commits that the clone has.
    package func resolve(_ ref: String) throws -> CommitSummary {
        try self.clone.resolve(ref == self.options.ref ? CloneFolder.followedRef : ref)
    }

    package func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges {
        try self.clone.changes(from: base, to: head, under: subpath)
    }

    package func entry(at path: String, in commit: ObjectID) throws -> TreeEntry? {
        try self.clone.entry(at: path, in: commit)
    }

    package func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry {
        try self.clone.resolvedEntry(at: path, in: commit)
    }

    package func files(below path: String, in commit: ObjectID) throws -> [TreeEntry] {
        try self.clone.files(below: path, in: commit)
    }

    package func size(of object: ObjectID) throws -> Int64 {
        try self.clone.size(of: object)
    }

    package func read(_ object: ObjectID, limit: Int64) throws -> [UInt8] {
        try self.clone.read(object, limit: limit)
    }

    package func export(_ object: ObjectID, to file: String, limit: Int64) throws {
        try self.clone.export(object, to: file, limit: limit)
    }

    package func releaseMemory() {
        self.state.withLock(\.clone)?.releaseMemory()
    }

    package func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary] {
        try self.clone.log(from: head, under: subpath, limit: limit)
    }
}
