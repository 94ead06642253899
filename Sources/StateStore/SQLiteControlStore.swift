internal import GRDB
internal import Glibc
package import Planning
internal import Schema

/// `control.db`: one SQLite file in WAL mode, durable at the end of each ``write(_:)``, for lost power too.
///
/// Every call blocks, a write until the disk has it; each may be made from any thread. Readers never wait for writers.
package final class SQLiteControlStore: ControlStore {
    /// How many of the newest events are kept.
    package static let defaultEventLimit: Int64 = 100_000

    /// The absolute path of the database.
    package let path: String
    let pool: DatabasePool
    private let eventLimit: Int64

    /// Opens the database, makes it where it is missing and brings an older one up to date.
    ///
    /// The folder must exist and be locked. Throws `StateCorrupted`, `StateTooNew`, `StateNotWritable`, and others.
    package init(path: String, eventLimit: Int64 = SQLiteControlStore.defaultEventLimit) throws {
        self.path = path
        self.eventLimit = eventLimit
        self.pool = try StoreFailure.translating(path) {
            try Self.makePrivateFile(path)
            var configuration = Configuration()
            configuration.label = "control.db"
            configuration.busyMode = .timeout(5)
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { database in
                try Self.makeDurable(database, path)
                try Self.check(database, path)
            }
            try ControlSchema.migrator.migrate(pool)
            return pool
        }
    }

    /// Closes the database; nothing may be asked of it afterwards.
    package func close() throws {
        try self.access { try self.pool.close() }
    }

    @discardableResult
    package func write(_ changes: [FactChange]) throws -> [Event] {
        guard !changes.isEmpty else { return [] }
        return try self.access {
            try self.pool.write { database in
                var transaction = ControlTransaction(database, eventLimit: self.eventLimit)
                for change in changes { try transaction.apply(change) }
                return try transaction.finish()
            }
        }
    }

    /// Translates what the database throws.
    func access<Result>(_ body: () throws -> Result) throws -> Result {
        try StoreFailure.translating(self.path, body)
    }

    /// SQLite gives its `-wal` and `-shm` files the mode of the database, so it must not make that one itself.
    private static func makePrivateFile(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw MartletError(
                "StateNotWritable",
                "'\(path)' cannot be opened for writing: \(String(cString: strerror(errno)))"
            )
        }
        fchmod(descriptor, 0o600)
        Glibc.close(descriptor)
    }

    /// GRDB's pool sets NORMAL, with which lost power may take the last transactions along.
    private static func makeDurable(_ database: Database, _ path: String) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
            throw MartletError("StateFailed", "SQLite refuses to write '\(path)' durably (PRAGMA synchronous = FULL)")
        }
    }

    private static func check(_ database: Database, _ path: String) throws {
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
}
