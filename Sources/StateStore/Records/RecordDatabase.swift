internal import Foundation
internal import GRDB
internal import Glibc
internal import Planning
internal import Schema

/// Opens `records.db`. Records are worth less than serving: a database that cannot be read is set aside, and a new one
/// begun.
enum RecordDatabase {
    /// - Parameters:
    ///   - now: names what is set aside.
    ///   - busySeconds: how long one waits for whoever else has the database locked.
    ///   - warn: is told what was set aside and why.
    ///
    /// Throws where not even a new one can be made.
    static func open(
        _ path: String,
        now: Timestamp,
        busySeconds: Double,
        warn: (_ message: String) -> Void
    ) throws -> DatabasePool {
        do {
            return try self.openSound(path, busySeconds)
        } catch let error as DatabaseError where self.isDamage(error) {
            warn(try self.setAside(path, why: error.message ?? "\(error)", now: now))
            return try self.openSound(path, busySeconds)
        }
    }

    /// Whether SQLite says that what it reads is not what it wrote.
    static func isDamage(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
    }

    private static func openSound(_ path: String, _ busySeconds: Double) throws -> DatabasePool {
        if access(path, F_OK) != 0 { try self.make(path) }
        var configuration = Configuration()
        configuration.label = "records.db"
        configuration.busyMode = .timeout(busySeconds)
        let pool = try DatabasePool(path: path, configuration: configuration)
        do {
            guard try !pool.read(RecordSchema.migrator.hasBeenSuperseded) else {
                throw DatabaseError(resultCode: .SQLITE_NOTADB, message: "it was written by a newer Martlet")
            }
            try RecordSchema.migrator.migrate(pool)
            return pool
        } catch {
            try? pool.close()
            throw error
        }
    }

    /// Makes an empty database that is private, and that gives pages back which it has no use for.
    private static func make(_ path: String) throws {
        for suffix in StateReplacement.suffixes { _ = unlink(path + suffix) }
        try StateReplacement.writing(path) { () throws(FileFailure) in try FileOperations.system.write("", to: path) }
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM") }
        try RecordSchema.migrator.migrate(database)
        try database.close()
    }

    /// Renames the files of a database that nobody has open. Returns what to tell.
    static func setAside(_ path: String, why: String, now: Timestamp) throws -> String {
        var aside = "\(path).corrupt-\(now.compact)"
        while access(aside, F_OK) == 0 { aside += "-2" }
        try StateReplacement.writing(path) { () throws(FileFailure) in
            for suffix in StateReplacement.suffixes where access(path + suffix, F_OK) == 0 {
                try FileOperations.system.rename(path + suffix, to: aside + suffix)
            }
        }
        return "'\(path)' is damaged (\(why)): it was set aside as '\(aside)', and records begin anew"
    }
}
