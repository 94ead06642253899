internal import Schema
internal import Synchronization

/// Open handles of one repository, each used by one thread at a time.
final class HandlePool: Sendable {
    /// More than this many are never kept; a busier moment opens more and closes them again.
    private static let kept = 4

    private let path: String
    private let idle = Mutex<[RepositoryHandle]>([])

    init(path: String) {
        self.path = path
    }

    /// Lends a handle to a read for as long as that takes, on the calling thread.
    ///
    /// A kept handle may have an old view of the packs when another process repacks or replaces the repository, so a
    /// read that fails on one is done again on a fresh handle. A handle that failed is never lent again.
    func read<Result>(_ body: (RepositoryHandle) throws -> Result) throws -> Result {
        if let handle = self.idle.withLock({ $0.popLast() }), let result = try? body(handle) {
            self.put(back: handle)
            return result
        }
        let handle = try RepositoryHandle(path: self.path)
        let result = try body(handle)
        self.put(back: handle)
        return result
    }

    /// Closes what is not lent. libgit2 keeps the objects that others are made of for as long as a pack is open anywhere.
    func closeIdle() {
        // They are closed out here, once the lock is free.
        _ = self.idle.withLock { exchange(&$0, with: []) }
    }

    private func put(back handle: RepositoryHandle) {
        self.idle.withLock { idle in
            if idle.count < Self.kept { idle.append(handle) }
        }
    }
}
