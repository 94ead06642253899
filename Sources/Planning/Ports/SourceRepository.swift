/// A git object id in lower-case hexadecimal.
package typealias ObjectID = String

/// One commit, as people see it.
package struct CommitSummary: Sendable, Hashable, Codable {
    package var id: ObjectID
    /// The first line of the commit message.
    package var subject: String
    /// `Name <address>`.
    package var author: String
    /// The committer's time, in seconds since 1970.
    package var time: Int64
    /// Whose signature was verified before the commit was applied; nil where nobody asked for one.
    package var signer: String?

    package init(id: ObjectID, subject: String, author: String, time: Int64, signer: String? = nil) {
        self.id = id
        self.subject = subject
        self.author = author
        self.time = time
        self.signer = signer
    }
}

/// One entry of a commit's tree.
package struct TreeEntry: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case file
        case folder
        /// A symbolic link; the adapter has not followed it.
        case link
        case submodule
        /// A pipe, a socket or a device of a work tree: no commit has one.
        case special = "special file"
    }

    /// Repository-relative, `/`-separated, without a leading slash.
    package var path: String
    package var kind: Kind
    package var object: ObjectID

    package init(path: String, kind: Kind, object: ObjectID) {
        self.path = path
        self.kind = kind
        self.object = object
    }
}

/// What differs between two trees below one sub-path.
package struct TreeChanges: Sendable, Hashable {
    /// Files and links that are new or whose content differs.
    package var changed: [TreeEntry]
    /// Paths that are gone.
    package var removed: [String]

    package init(changed: [TreeEntry], removed: [String]) {
        self.changed = changed
        self.removed = removed
    }
}

/// A git repository as Martlet reads it: by commit, never from the work tree.
///
/// Calls block for as long as the object database takes, so callers run them off the cooperative pool.
package protocol SourceRepository: Sendable {
    /// Resolves a branch, tag or commit id; a branch comes before a tag of the same name.
    ///
    /// Throws `RefNotFound`, with the nearest name that there is, or `RepositoryEmpty` when nothing was committed yet.
    func resolve(_ ref: String) throws -> CommitSummary

    /// Lists what differs below `subpath` (empty for the root) from one commit, or from nothing, to another.
    ///
    /// Both lists are sorted by the bytes of their paths. Throws `PathNotFound` when `head` has no such folder: a
    /// misspelt path must not look like the removal of everything.
    func changes(from base: ObjectID?, to head: ObjectID, under subpath: String) throws -> TreeChanges

    /// The entry at a repository-relative path, or nil. The last component is not followed when it is a link.
    func entry(at path: String, in commit: ObjectID) throws -> TreeEntry?

    /// The entry that a path leads to when all links on the way, the last one too, are followed within the commit.
    ///
    /// Throws `PathNotFound`, `PathLoops`, or, naming the link, `PathLeavesRepository`.
    func resolvedEntry(at path: String, in commit: ObjectID) throws -> TreeEntry

    /// All files, links and submodules below a folder, sorted by the bytes of their paths. Throws `PathNotFound`.
    func files(below path: String, in commit: ObjectID) throws -> [TreeEntry]

    /// The size of a blob in bytes, read from its header.
    func size(of object: ObjectID) throws -> Int64

    /// The bytes of a blob. Throws `BlobTooLarge` when it has more than `limit` bytes, before reading it.
    func read(_ object: ObjectID, limit: Int64) throws -> [UInt8]

    /// Writes the bytes of a blob to a file that appears whole or not at all, replacing one that is there.
    ///
    /// The folder must exist. Throws `BlobTooLarge` when the blob has more than `limit` bytes, before reading it.
    func export(_ object: ObjectID, to file: String, limit: Int64) throws

    /// The commits from `head` backwards that touch anything below `subpath`, newest first.
    func log(from head: ObjectID, under subpath: String, limit: Int) throws -> [CommitSummary]

    /// Yields whenever a ref may have moved; consumers resolve again and compare. Ends when the consumer stops.
    ///
    /// What moves after this call returned is noticed, so ask for the stream first and resolve then.
    func refChanges() -> AsyncStream<Void>

    /// Asks the place that commits come from for newer ones, and returns once they are here.
    ///
    /// Throws why they cannot be had; what was here before stays readable.
    func refresh() async throws

    /// Gives up what is kept in memory for reads to come.
    func releaseMemory()

    /// How well asking that place goes; nil for a repository that is that place itself.
    var freshness: SourceFreshness? { get }
}

extension SourceRepository {
    /// A repository that is the source itself is always up to date.
    package func refresh() async throws {}

    package func releaseMemory() {}

    package var freshness: SourceFreshness? { nil }
}
