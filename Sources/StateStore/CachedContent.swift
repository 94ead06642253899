internal import Glibc
internal import Planning
internal import Schema

/// What a cached file must hold, and what it is called.
struct CachedContent: Sendable {
    /// `git-` or `sha256-`, and the hash: no folder, no dot, no surprise in a file's name.
    let name: String
    /// In lower-case hexadecimal.
    let hash: String
    /// In bytes; nil where only the content can tell.
    let size: Int64?
    private let isGitBlob: Bool

    /// Throws `ArtifactMissing` when the id is no git object id.
    init(_ artifact: Artifact) throws(MartletError) {
        self.size = artifact.size
        switch artifact.location {
        case .repository(let path, let blob):
            guard blob.utf8.count == 40, blob.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
                throw MartletError("ArtifactMissing", "'\(path)' has no git blob: '\(blob)' is not the id of one")
            }
            (self.name, self.hash, self.isGitBlob) = ("git-\(blob)", blob, true)
        case .file(_, let sha256):
            (self.name, self.hash, self.isGitBlob) = ("sha256-\(sha256)", sha256.hex, false)
        }
    }

    /// Whether a file of the cache may be called so.
    static func isName(_ name: String) -> Bool {
        let forms = [("git-", 40), ("sha256-", 64)]
        return forms.contains { prefix, digits in
            name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + digits
                && name.utf8.dropFirst(prefix.utf8.count).allSatisfy { "0123456789abcdef".utf8.contains($0) }
        }
    }

    /// Starts the hash that a file of `size` bytes must end with.
    func hasher(size: Int64) -> ContentHasher {
        self.isGitBlob ? .gitBlob(size: size) : .sha256()
    }
}

/// What changes about a file whenever somebody writes to it or puts another in its place.
struct FileStamp: Sendable, Hashable {
    let size: Int64
    private let device: UInt64
    private let inode: UInt64
    private let changed: [Int]

    /// Nil when there is no ordinary file.
    init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.size = Int64(status.st_size)
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
        // The time of the last change cannot be set back, unlike the time of the last write.
        self.changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
}
