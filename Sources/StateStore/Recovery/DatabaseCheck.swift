internal import Foundation
internal import GRDB
internal import Glibc
internal import Schema

/// Looks whether a control database can be used, and leaves it as it is: opening one for writing already changes it.
enum DatabaseCheck {
    /// The first bytes of every SQLite database.
    private static let magic = Array("SQLite format 3\0".utf8)

    /// Whether there is a database, and it is sound.
    ///
    /// Throws `StateCorrupted`, `StateTooNew`, `StateReplacementUnfinished`, and what opening it throws.
    static func exists(_ path: String) throws -> Bool {
        guard !StateReplacement.isUnfinished(path) else { throw StateReplacement.unfinished(path) }
        if let finding = try self.fileDamage(path) { throw StoreFailure.corrupted(path, finding) }
        guard access(path, F_OK) == 0 else { return false }
        if let finding = try WriteAheadLog.damage(at: "\(path)-wal") { throw StoreFailure.corrupted(path, finding) }
        try self.reading(path) { database in
            let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
            guard finding == "ok" else {
                throw StoreFailure.corrupted(path, finding ?? "SQLite's check says nothing")
            }
            guard try !ControlSchema.migrator.hasBeenSuperseded(database) else {
                throw MartletError(
                    "StateTooNew",
                    "'\(path)' was written by a newer Martlet: run that version, or choose another --state-dir"
                )
            }
        }
        return true
    }

    /// Lets a body read a database, and leaves no file behind that was not there.
    ///
    /// - Parameter mayShare: whether somebody else may have it open, who then needs those files.
    static func reading<Result>(
        _ path: String,
        mayShare: Bool = false,
        _ body: (Database) throws -> Result
    ) throws -> Result {
        let sideFiles: [String] = ["\(path)-wal", "\(path)-shm"].filter { file in access(file, F_OK) != 0 }
        defer { if !mayShare { for file in sideFiles { _ = unlink(file) } } }
        return try StoreFailure.translating(path) {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.label = "control.db, read only"
            configuration.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            // Without a transaction around it: one could not end well on a damaged database.
            let result = Swift.Result { try queue.unsafeRead(body) }
            try queue.close()
            return try result.get()
        }
    }

    /// What the files themselves show, before SQLite sees them; SQLite would take an empty file for a new database.
    private static func fileDamage(_ path: String) throws -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw self.unreadable(path, errno) }
            var log = stat()
            let hasLog = stat("\(path)-wal", &log) == 0 && log.st_size > 0
            return hasLog ? "it is gone, and its log '-wal' is still there" : nil
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return "it is no file" }
        guard status.st_size > 0 else { return "it is empty" }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw self.unreadable(path, errno) }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = pread(descriptor, &header, header.count, 0)
        guard count >= 0 else { throw self.unreadable(path, errno) }
        guard header.starts(with: self.magic.prefix(count)), count > 0 else { return "it is no SQLite database" }
        let pageSize = Int(header[16]) << 8 | Int(header[17])
        guard count == header.count, status.st_size >= (pageSize == 1 ? 65_536 : pageSize) else {
            return "it was cut short: only \(status.st_size) bytes are left of it"
        }
        return nil
    }

    private static func unreadable(_ path: String, _ error: Int32) -> MartletError {
        MartletError("StateNotWritable", "'\(path)' cannot be read: \(String(cString: strerror(error)))")
    }
}
