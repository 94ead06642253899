internal import GRDB
internal import Glibc
package import Planning
internal import Schema
internal import Synchronization

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
    /// The graphs of variants as they are written, as far as that is known: most writes of a variant leave them alone.
    private let graphs = Mutex<[VariantID: [RevisionGraph]]>([:])

    /// Opens the database, makes it where it is missing and brings an older one up to date.
    ///
    /// The folder must exist and be locked. A database that cannot be used is left as it is. Throws `StateCorrupted`,
    /// `StateTooNew`, `StateReplacementUnfinished`, `StateNotWritable`, and others.
    package init(
        path: String,
        eventLimit: Int64 = SQLiteControlStore.defaultEventLimit,
        files: FileOperations = .system
    ) throws {
        self.path = path
        self.eventLimit = eventLimit
        self.pool = try StoreFailure.translating(path) {
            if try !DatabaseCheck.exists(path) { try Self.make(path, files) }
            try Self.checkWritable(path)
            var configuration = Configuration()
            configuration.label = "control.db"
            configuration.busyMode = .timeout(5)
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { try Self.makeDurable($0, path) }
            try ControlSchema.migrator.migrate(pool)
            return pool
        }
    }

    /// Closes the database; nothing may be asked of it afterwards.
    package func close() throws {
        try self.access { try self.pool.close() }
    }

    /// Gives up the pages that are kept in memory, and connections that nobody reads with.
    package func releaseMemory() async {
        await BlockingWork.run { [pool] _ in pool.releaseMemory() }
    }

    /// Leaves nothing in the log, so that the database's own file can be moved once it is closed.
    func moveLogIntoDatabase() throws {
        try self.access { try self.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) } }
    }

    @discardableResult
    package func write(_ changes: [FactChange]) throws -> [Event] {
        guard !changes.isEmpty else { return [] }
        return try self.graphs.withLock { graphs in
            do {
                return try self.access { try self.pool.write { try self.write(changes, to: $0, &graphs) } }
            } catch {
                graphs = [:]
                throw error
            }
        }
    }

    private func write(
        _ changes: [FactChange],
        to database: Database,
        _ graphs: inout [VariantID: [RevisionGraph]]
    ) throws -> [Event] {
        var transaction = ControlTransaction(
            database,
            eventLimit: self.eventLimit,
            graphs: exchange(&graphs, with: [:])
        )
        try transaction.apply(changes)
        let events = try transaction.finish()
        graphs = transaction.graphs
        return events
    }

    /// Translates what the database throws.
    func access<Result>(_ body: () throws -> Result) throws -> Result {
        try StoreFailure.translating(self.path, body)
    }

    /// Makes an empty database, which appears whole or not at all: an empty file is damage.
    private static func make(_ path: String, _ files: FileOperations) throws {
        let place = try StateReplacement.emptyPlace(beside: path, files: files)
        let database = try self.makeEmpty(at: place, files)
        try database.close()
        try StateReplacement.writing(path) { () throws(FileFailure) in
            try files.sync(place)
            try files.rename(place, to: path)
            try files.sync(StateReplacement.folder(of: path))
        }
    }

    /// Makes a database with every table and no row, in one file that is private.
    ///
    /// SQLite gives its `-wal` and `-shm` files the mode of the database, so it must not make that one itself.
    static func makeEmpty(at path: String, _ files: FileOperations) throws -> DatabaseQueue {
        try StateReplacement.writing(path) { () throws(FileFailure) in
            try files.write("", to: path)
        }
        let database = try DatabaseQueue(path: path)
        try ControlSchema.migrator.migrate(database)
        return database
    }

    /// SQLite opens a database that may not be written to for reading only, and complains at the first write.
    private static func checkWritable(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
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
}
