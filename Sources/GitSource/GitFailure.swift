internal import CLibGit2
internal import Glibc
internal import Schema

/// What libgit2 was asked for when one of its calls failed; it decides the words that people read.
enum GitRequest {
    case openRepository(path: String)
    case resolve(ref: String)
    case read(object: git_oid)
}

/// Throws what libgit2 complains about when a call did not return success.
///
/// The complaint is kept per thread, so this must follow the call on the same thread.
func check(_ result: Int32, _ request: @autoclosure () -> GitRequest) throws(MartletError) {
    guard result < 0 else { return }
    throw MartletError(GitFailure(result), request())
}

/// A failed libgit2 call: the return code, the class of the error and libgit2's own words.
struct GitFailure: Error, CustomStringConvertible {
    var code: git_error_code
    var category: git_error_t
    var description: String

    /// Takes the present thread's last error.
    init(_ result: Int32) {
        let last = git_error_last()
        self.code = git_error_code(rawValue: result)
        self.category = git_error_t(rawValue: UInt32(bitPattern: last?.pointee.klass ?? 0))
        self.description = last?.pointee.message.map { String(cString: $0) } ?? "libgit2 error \(result)"
    }
}

extension MartletError {
    /// Puts a failed libgit2 call into words that say what to do.
    init(_ failure: GitFailure, _ request: GitRequest) {
        switch request {
        case .openRepository(let path): self.init(opening: path, failure)
        case .resolve(let ref): self.init(resolving: ref, failure)
        case .read(let object): self.init(reading: object.hexadecimal, failure)
        }
    }

    private init(opening path: String, _ failure: GitFailure) {
        switch (failure.code, failure.category) {
        // libgit2 1.5 finds the foreign owner, looks for `safe.directory`, and reports that it did not find that.
        case (GIT_EOWNER, _), (GIT_ENOTFOUND, GIT_ERROR_CONFIG):
            self.init(
                "RepositoryOwnedByAnother",
                "repository '\(path)' is owned by another user, so git refuses to read it: run Martlet as its owner, "
                    + "change the owner with chown, or trust it by its own path ('*' is not enough) with "
                    + "`git config --global --add safe.directory '\(Self.workTree(of: path))'`"
            )
        case (GIT_ENOTFOUND, _):
            self.init(
                "RepositoryNotFound",
                "there is no git repository at '\(path)': give the folder that contains '.git', or a bare repository",
                disposition: .waiting
            )
        default:
            self.init(
                "RepositoryUnreadable",
                "the git repository at '\(path)' cannot be opened",
                disposition: .retryable,
                cause: failure
            )
        }
    }

    /// The absolute path by which git knows a repository: its work tree, or itself when it is bare.
    private static func workTree(of path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        let absolute = String(cString: resolved)
        return absolute.hasSuffix("/.git") ? String(absolute.dropLast("/.git".count)) : absolute
    }

    private init(resolving ref: String, _ failure: GitFailure) {
        switch (failure.code, failure.category) {
        case (GIT_EAMBIGUOUS, _):
            self.init("RefAmbiguous", "'\(ref)' begins the ids of several objects: give more digits")
        case (GIT_EPEEL, _):
            self.init("RefNotACommit", "'\(ref)' does not name a commit: give a branch, a tag or a commit id")
        case (GIT_ENOTFOUND, GIT_ERROR_ODB):
            self.init(
                "ObjectNotFound",
                "the commit that '\(ref)' stands for is not in the repository: `git fsck` says what else is missing; "
                    + "fetch the repository anew or restore it",
                disposition: .retryable,
                cause: failure
            )
        case (GIT_ENOTFOUND, _), (GIT_EINVALIDSPEC, _), (GIT_EUNBORNBRANCH, _):
            self.init("RefNotFound", "there is no branch, tag or commit '\(ref)'", disposition: .waiting)
        default:
            self.init(
                "RefUnreadable",
                "'\(ref)' cannot be resolved; `git fsck` says what is wrong with the repository",
                disposition: .retryable,
                cause: failure
            )
        }
    }

    private init(reading object: String, _ failure: GitFailure) {
        switch (failure.code, failure.category) {
        case (GIT_ENOTFOUND, _):
            self.init(
                "ObjectNotFound",
                "object \(object) is not in the repository: fetch it (a shallow or partial clone lacks objects), or, "
                    + "if the repository should be complete, repair it: `git fsck` says what is missing",
                disposition: .retryable
            )
        case (_, GIT_ERROR_OS), (_, GIT_ERROR_NOMEMORY):
            self.init(
                "ObjectUnreadable",
                "object \(object) cannot be read",
                disposition: .retryable,
                cause: failure
            )
        default:
            self.init(
                "ObjectCorrupt",
                "object \(object) is damaged: `git fsck` says what else is; fetch the repository anew or restore it",
                cause: failure
            )
        }
    }
}
