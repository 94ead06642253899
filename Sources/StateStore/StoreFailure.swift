internal import GRDB
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
            "'\(path)' is damaged: \(why). Restore it from a backup, or move it away and start again: git says what "
                + "runs; holds, suspensions, history and the audit log begin anew"
        )
    }
}
