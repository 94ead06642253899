internal import GRDB
internal import Glibc
internal import Schema

/// Turns what SQLite reports into an error that says what to do.
enum StoreFailure {
    /// Runs an access to the database at `path`, and translates what it throws.
    static func translating<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw self.translation(of: error, path: path)
        }
    }

    private static func translation(of error: DatabaseError, path: String) -> MartletError {
        switch error.resultCode {
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY:
            // What SQLite cannot tell apart, the disk can.
            Disk.problem(at: path).map { problem in
                MartletError(
                    "StateNotWritten",
                    "the disk of '\(path)' is \(problem): nothing of this was written",
                    disposition: .retryable,
                    cause: error
                )
            } ?? self.plainTranslation(of: error, path: path)
        default:
            self.plainTranslation(of: error, path: path)
        }
    }

    private static func plainTranslation(of error: DatabaseError, path: String) -> MartletError {
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.corrupted(path, error.message ?? "\(error)")
        case .SQLITE_FULL:
            MartletError(
                "StateNotWritten",
                "the disk of '\(path)' is full: make room, nothing of this was written",
                disposition: .retryable,
                cause: error
            )
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            MartletError(
                "StateNotWritable",
                "'\(path)' cannot be opened for writing: see who owns it and whether its disk is read-only",
                disposition: .retryable,
                cause: error
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            MartletError(
                "StateBusy",
                "another program keeps '\(path)' locked: end it, nothing of this was written",
                disposition: .retryable,
                cause: error
            )
        case .SQLITE_IOERR:
            MartletError(
                "StateNotWritten",
                "the disk of '\(path)' reported a fault: nothing of this was written",
                disposition: .retryable,
                cause: error
            )
        default:
            MartletError("StateFailed", "'\(path)' could not be used", disposition: .retryable, cause: error)
        }
    }

    /// The database holds what Martlet did not write.
    static func corrupted(_ path: String, _ why: String) -> MartletError {
        MartletError(
            "StateCorrupted",
            "'\(path)' is damaged: \(why). Put a backup in its place with 'martlet restore', or start once with 'martlet "
                + "run --rebuild-state': that keeps the damaged files, rescues what can be read of holds, suspensions, "
                + "history and the audit log, and takes the rest from git"
        )
    }
}

/// The disk below a path.
enum Disk {
    /// `full` or `read-only`, or nil when it is neither.
    static func problem(at path: String) -> String? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 || statvfs(StateReplacement.folder(of: path), &status) == 0 else {
            return nil
        }
        if status.f_flag & UInt(ST_RDONLY) != 0 { return "read-only" }
        return status.f_bavail == 0 || status.f_files > 0 && status.f_favail == 0 ? "full" : nil
    }
}
