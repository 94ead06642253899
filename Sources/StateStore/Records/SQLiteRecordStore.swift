internal import Dispatch
internal import Foundation
internal import GRDB
package import Planning
package import Schema
internal import Synchronization

/// `records.db`: one SQLite file in WAL mode with a writer of its own, so that records never delay a decision.
///
/// What is accepted is written within milliseconds, many records in one transaction. A process that is killed loses at most
/// what was accepted and not yet written; of records with `durability: sync`, nothing, not even when power fails. When
/// the disk takes no more, records wait in memory, and requests wait for room; after a few attempts those that wait are
/// refused, and so told.
package final class SQLiteRecordStore: RecordStore {
    /// How records are put together and how long one waits for the disk.
    package struct Limits: Sendable {
        /// Bytes that may wait to be written.
        package var queueBytes = 32 << 20
        /// Bytes of one transaction.
        package var batchBytes = 2 << 20
        /// How long a record waits for others, in milliseconds.
        package var delay = 5
        /// How long after an attempt that failed the next one is made, in milliseconds.
        package var retryDelay = 500
        /// Attempts that fail before requests that wait are refused.
        package var attempts = 4
        /// How often the catalogue is looked after, in milliseconds, and how many records may come in that time.
        package var quiet = (time: 200, arrivals: 50)
        /// So many records may be left out of the catalogue while there is no time for them.
        package var uncatalogued = 200_000
        /// How long one attempt waits for whoever else has the database locked.
        package var busySeconds = 5.0
        /// The most bytes of records in one page.
        package var pageBytes = 8 << 20

        package init() {}
    }

    /// The absolute path of the database.
    package let path: String
    let limits: Limits
    private let clock: any WallClock
    private let warn: @Sendable (String) -> Void
    private let queue: Mutex<RecordQueue>
    private let pool: Mutex<DatabasePool>
    /// All writing happens here.
    private let work = DispatchQueue(label: "martlet.records")
    private let writer = Mutex(Writer())

    /// What only ``work`` reads and changes.
    private struct Writer {
        var isDurable = false
        var uncatalogued = 0
        var isCataloguing = false
        /// Whether a batch that could not be written is to be tried again later.
        var waitsToRetry = false
    }

    /// Opens the database, makes it where it is missing and brings an older one up to date; one that is damaged is set
    /// aside.
    ///
    /// - Parameters:
    ///   - clock: names what is set aside.
    ///   - warn: is told, from any thread, of what an operator should know.
    package init(
        path: String,
        limits: Limits = Limits(),
        clock: any WallClock,
        warn: @escaping @Sendable (String) -> Void
    ) throws {
        self.path = path
        self.limits = limits
        self.clock = clock
        self.warn = warn
        self.queue = Mutex(RecordQueue(limit: limits.queueBytes, batch: limits.batchBytes))
        let pool = try StoreFailure.translating(path) {
            try RecordDatabase.open(path, now: clock.now(), busySeconds: limits.busySeconds, warn: warn)
        }
        self.pool = Mutex(pool)
        self.writer.withLock { $0.uncatalogued = limits.uncatalogued }
    }

    package func accept(_ record: RequestRecord, under log: EndpointSpec.Log) -> Bool {
        guard log.durability == .batched else { return false }
        let entry = RecordQueue.Entry(record, log)
        guard let wake = self.queue.withLock({ $0.accept(entry) }) else { return false }
        self.schedule(wake)
        return true
    }

    package func write(_ record: RequestRecord, under log: EndpointSpec.Log) async throws {
        if self.accept(record, under: log) { return }
        try await withCheckedThrowingContinuation { (waiter: RecordQueue.Waiter) in
            let wake = self.queue.withLock { queue -> RecordQueue.Wake? in
                if queue.isClosed { return nil }
                // There may be room by now.
                if log.durability == .batched, let wake = queue.accept(RecordQueue.Entry(record, log)) {
                    waiter.resume()
                    return wake
                }
                return queue.wait(RecordQueue.Entry(record, log, waiter: waiter))
            }
            if let wake { self.schedule(wake) } else { waiter.resume(throwing: self.unavailable("they are closed")) }
        }
    }

    package var figures: RecordFigures {
        var figures = self.queue.withLock { $0.figures }
        for suffix in StateReplacement.suffixes {
            let attributes = try? FileManager.default.attributesOfItem(atPath: self.path + suffix)
            figures.size += (attributes?[.size] as? Int64) ?? 0
        }
        return figures
    }

    /// Writes what was accepted, and closes the database; nothing may be asked of it afterwards.
    package func close() async throws {
        let waiters = self.queue.withLock { $0.close() }
        for waiter in waiters { waiter.resume(throwing: self.unavailable("they are closed")) }
        try await self.working {
            for _ in 0..<self.limits.attempts {
                self.writeQueued(isLast: true)
                if self.queue.withLock({ $0.figures.queuedRecords }) == 0 { break }
                usleep(UInt32(self.limits.retryDelay) * 1000)
            }
            let lost = self.queue.withLock { $0.figures.queuedRecords }
            if lost > 0 { self.warn("\(lost) records could not be written before the end, and are lost") }
            try self.pool.withLock { try $0.close() }
        }
    }

    /// Removes records whose time is over, and what was said of them, a few at a time, once they are in the catalogue.
    /// Returns how many.
    @discardableResult
    package func prune(now: Timestamp) async throws -> Int {
        var count = 0
        while true {
            let pruned = try await self.working {
                self.writeQueued()
                return try self.inTransaction { try RecordCatalogue(database: $0).prune(now: now, limit: 200) }
            }
            self.queue.withLock { $0.notePruned(pruned) }
            count += pruned
            guard pruned > 0 else { return count }
            try await self.working { try self.giveBackPages() }
            try Task.checkCancellation()
        }
    }

    // MARK: What happens on `work`

    /// Runs a body where all writing happens, and translates what it throws.
    func working<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.work.async {
                continuation.resume(with: Result { try StoreFailure.translating(self.path, body) })
            }
        }
    }

    /// Makes all that was accepted findable; what cannot be written now is left out.
    func catchUp() async throws {
        try await self.working {
            self.writeQueued()
            self.catalogueAll()
        }
    }

    /// The database, which is another one after damage.
    var database: DatabasePool { self.pool.withLock { $0 } }

    func inTransaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try self.database.write(body)
    }

    private func schedule(_ wake: RecordQueue.Wake) {
        switch wake {
        case .asItIs: break
        case .now: self.work.async { self.writeQueued() }
        case .soon: self.work.asyncAfter(deadline: .now() + .milliseconds(self.limits.delay)) { self.writeQueued() }
        }
    }

    /// Writes batch after batch until none is left, or one cannot be written.
    ///
    /// - Parameter isLast: tries even while an attempt that failed waits to be repeated.
    private func writeQueued(isLast: Bool = false) {
        guard isLast || !self.writer.withLock({ $0.waitsToRetry }) else { return }
        while true {
            let batch = self.queue.withLock { $0.takeBatch() }
            guard !batch.isEmpty else { break }
            do {
                let bytes = try self.write(batch)
                for waiter in self.queue.withLock({ $0.written(batch, bytes: bytes) }) { waiter.resume() }
            } catch {
                self.recover(from: error, batch)
                return
            }
        }
        self.keepCatalogue()
    }

    /// Returns the bytes of JSON.
    private func write(_ batch: [RecordQueue.Entry]) throws -> Int {
        let rows = batch.map { entry in
            let redactor = Redactor(entry.log.redact)
            return redactor.isIdle ? entry.record.json : entry.record.redacted(redactor).json
        }
        let mustBeDurable = batch.contains(where: \.isDurable)
        try self.database.writeWithoutTransaction { database in
            // Lost power may take along what was committed since the last transaction with FULL.
            if self.writer.withLock({ $0.isDurable }) != mustBeDurable {
                try database.execute(sql: "PRAGMA synchronous = \(mustBeDurable ? "FULL" : "NORMAL")")
                self.writer.withLock { $0.isDurable = mustBeDurable }
            }
            try database.inTransaction(.immediate) {
                let insertion = try database.cachedStatement(
                    sql: "INSERT INTO records (expires_at, redacted, record) VALUES (?, ?, ?)"
                )
                for (entry, json) in zip(batch, rows) {
                    let end = entry.record.startedAt.milliseconds + entry.record.microseconds / 1000
                    let (expiry, overflows) = end.addingReportingOverflow(entry.log.retention.milliseconds)
                    let redacted = entry.log.redact.map(\.rawValue).joined(separator: " ")
                    try insertion.execute(arguments: [overflows ? .max : expiry, redacted, Data(json)])
                }
                return .commit
            }
        }
        self.writer.withLock { $0.uncatalogued += batch.count }
        return rows.reduce(0) { $0 + $1.count }
    }

    /// Keeps what could not be written, to try again.
    private func recover(from error: any Error, _ batch: [RecordQueue.Entry]) {
        let (refused, failures) = self.queue.withLock { queue in
            (queue.giveBack(batch, attempts: self.limits.attempts), queue.failuresInARow)
        }
        for waiter in refused { waiter.resume(throwing: self.unavailable("\(error)")) }
        if RecordDatabase.isDamage(error) {
            self.beginAnew(because: error)
        } else if failures == 1 || failures == self.limits.attempts {
            self.warn("records cannot be written now, and wait in memory: \(self.translated(error))")
        }
        // One attempt at a time: whatever arrives meanwhile waits for it too.
        self.writer.withLock { $0.waitsToRetry = true }
        self.work.asyncAfter(deadline: .now() + .milliseconds(self.limits.retryDelay)) {
            self.writer.withLock { $0.waitsToRetry = false }
            self.writeQueued()
        }
    }

    private func beginAnew(because error: any Error) {
        do {
            try self.pool.withLock { pool in
                try? pool.close()
                let message = try RecordDatabase.setAside(self.path, why: "\(error)", now: self.clock.now())
                self.warn(message)
                pool = try RecordDatabase.open(
                    self.path,
                    now: self.clock.now(),
                    busySeconds: self.limits.busySeconds,
                    warn: self.warn
                )
            }
            self.writer.withLock { $0 = Writer() }
        } catch {
            self.warn("no new database of records can be begun: \(self.translated(error))")
        }
    }

    /// Looks after the catalogue once few records come, or once too many are not in it.
    private func keepCatalogue() {
        let mustBegin = self.writer.withLock { writer in
            guard writer.uncatalogued > 0, !writer.isCataloguing else { return false }
            writer.isCataloguing = true
            return true
        }
        guard mustBegin else { return }
        _ = self.queue.withLock { $0.takeArrivals() }
        self.work.asyncAfter(deadline: .now() + .milliseconds(self.limits.quiet.time)) {
            self.writer.withLock { $0.isCataloguing = false }
            let isQuiet = self.queue.withLock { !$0.isClosed && $0.takeArrivals() <= self.limits.quiet.arrivals }
            let isLate = self.writer.withLock { $0.uncatalogued > self.limits.uncatalogued }
            // One step at a time: what was accepted meanwhile goes first.
            if isQuiet || isLate { self.catalogue() }
            self.writeQueued()
        }
    }

    private func catalogueAll() {
        while self.catalogue() { self.writeQueued() }
    }

    /// Takes some records into the catalogue. Returns whether others are left.
    @discardableResult
    private func catalogue() -> Bool {
        do {
            let (hasMore, limit) = (
                try self.inTransaction { try RecordCatalogue(database: $0).extend(limit: 500) }, 500
            )
            self.writer.withLock { $0.uncatalogued = hasMore ? max(1, $0.uncatalogued - limit) : 0 }
            return hasMore
        } catch {
            if RecordDatabase.isDamage(error) { self.beginAnew(because: error) }
            return false
        }
    }

    private func giveBackPages() throws {
        try self.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum(2000)") }
    }

    private func unavailable(_ why: String) -> MartletError {
        MartletError(
            "RecordsUnavailable",
            "the request's record cannot be written: \(why)",
            disposition: .retryable
        )
    }

    private func translated(_ error: any Error) -> any Error {
        do {
            return try StoreFailure.translating(self.path) { throw error }
        } catch {
            return error
        }
    }
}
