internal import CLibGit2
internal import Planning
internal import Schema

/// A local git repository, with a work tree or bare, read by commit through libgit2.
///
/// Every call may be made from any thread, many at a time; each blocks for as long as it reads.
package final class GitRepository: SourceRepository {
    /// The most that one blob may hold: libgit2 reads a packed blob whole, into memory.
    package static let blobLimit: Int64 = 2 << 30

    /// Where the repository is, as it was given.
    package let path: String
    let handles: HandlePool
    /// The folder with this work tree's HEAD.
    let gitDirectory: String
    /// The folder with the refs, which linked work trees share.
    let commonDirectory: String

    /// Opens the repository at a work tree's folder, at its `.git`, or at a bare repository.
    ///
    /// Throws `RepositoryNotFound`, `RepositoryOwnedByAnother` or `RepositoryUnreadable`.
    package init(path: String) throws {
        self.path = path
        self.handles = HandlePool(path: path)
        do {
            (self.gitDirectory, self.commonDirectory) = try self.handles.read { handle in
                (
                    String(cString: git_repository_path(handle.repository)),
                    String(cString: git_repository_commondir(handle.repository))
                )
            }
        } catch let error as MartletError where error.code == "RepositoryNotFound" {
            throw Self.withHint(error, path: path)
        }
    }

    package func releaseMemory() {
        self.handles.closeIdle()
    }

    /// Adds, for a folder inside a work tree, where the repository itself is.
    private static func withHint(_ error: MartletError, path: String) -> MartletError {
        var found = git_buf()
        defer { git_buf_dispose(&found) }
        guard git_repository_discover(&found, path, 0, nil) == 0, let repository = found.ptr else { return error }
        return MartletError(
            error.code,
            "'\(path)' is inside the git repository '\(String(cString: repository))': give the folder that contains "
                + "'.git' as the repository, and the rest as the path within it",
            disposition: error.disposition
        )
    }
}
