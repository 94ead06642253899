import Foundation
import GRDB
import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import StateStore

/// What the database of records promises beyond what every store does.
@Suite(.serialized)
struct SQLiteRecordStoreTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private var path: String { self.folder.file("records.db") }

    @Test("what was written is there when the store is opened again, found by words and ids; nobody else may read it")
    func reopening() async throws {
        let store = try RecordSamples.store(in: self.folder)
        try await RecordSamples.fill(store)
        try await store.close()
        let again = try RecordSamples.store(in: self.folder)
        #expect(try await again.search(RecordQuery(text: "parcel")).records.map(\.id) == ["b", "a"])
        #expect(again.figures.size > 0)
        let mode = try FileManager.default.attributesOfItem(atPath: self.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        await #expect(throws: MartletError.self) { try await store.write(RecordSamples.record("x"), under: .standard) }
    }

    @Test("what waited in the queue when the store was closed is written")
    func closing() async throws {
        var limits = SQLiteRecordStore.Limits()
        limits.delay = 3_600_000
        let store = try RecordSamples.store(in: self.folder, limits: limits)
        for number in 0..<10 { #expect(store.accept(RecordSamples.record("\(number)"), under: .standard)) }
        #expect((store.figures.queuedRecords, store.figures.writtenRecords) == (10, 0))
        try await store.close()
        #expect((store.figures.queuedRecords, store.figures.queuedBytes, store.figures.writtenRecords) == (0, 0, 10))
        #expect(try await RecordSamples.store(in: self.folder).search(RecordQuery()).records.count == 10)
    }

    @Test("a durable record is on the disk, synced, when the call returns; what waited for it goes along")
    func durability() async throws {
        var limits = SQLiteRecordStore.Limits()
        limits.delay = 3_600_000
        let store = try RecordSamples.store(in: self.folder, limits: limits)
        #expect(store.accept(RecordSamples.record("batched"), under: .standard))
        #expect(!store.accept(RecordSamples.record("sync"), under: EndpointSpec.Log(durability: .sync)))
        try await store.write(RecordSamples.record("sync"), under: EndpointSpec.Log(durability: .sync))
        // As another process sees it now, and one after a kill would.
        let other = try DatabaseQueue(path: self.path)
        #expect(try await other.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM records") } == 2)
        #expect(try await store.database.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") } == 2)
        #expect(store.figures.waits == 1)
    }

    @Test("records beyond the queue's bytes wait until there is room, and all of them are written")
    func backPressure() async throws {
        var limits = SQLiteRecordStore.Limits()
        limits.queueBytes = 20_000
        limits.batchBytes = 4_000
        let store = try RecordSamples.store(in: self.folder, limits: limits)
        let text = String(repeating: "x ", count: 3000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { try await store.write(RecordSamples.record("\(number)", text: text), under: .standard) }
            }
            try await group.waitForAll()
        }
        #expect(try await store.search(RecordQuery(limit: 1000)).records.count == 200)
        #expect(store.figures.waits > 0)
        #expect(store.figures.writtenBytes > 200 * 6000)
    }

    @Test(
        "while the disk takes nothing, records wait in memory and requests that must wait are refused; then all is written"
    )
    func troubledDisk() async throws {
        var limits = SQLiteRecordStore.Limits()
        (limits.retryDelay, limits.attempts, limits.busySeconds) = (1, 2, 0)
        let warnings = Mutex<[String]>([])
        let store = try RecordSamples.store(in: self.folder, limits: limits) { text in
            warnings.withLock { $0.append(text) }
        }
        // To the writer, a database that somebody else has locked is a disk that takes nothing.
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: self.path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        #expect(store.accept(RecordSamples.record("kept"), under: .standard))
        let error = await #expect(throws: MartletError.self) {
            try await store.write(RecordSamples.record("refused"), under: EndpointSpec.Log(durability: .sync))
        }
        #expect(error?.code == "RecordsUnavailable")
        #expect(warnings.withLock { $0.contains { $0.contains("locked") } })
        #expect((store.figures.refused, store.figures.queuedRecords) == (1, 1))
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await store.write(RecordSamples.record("later"), under: EndpointSpec.Log(durability: .sync))
        #expect(try await store.search(RecordQuery()).records.map(\.id) == ["later", "kept"])
    }

    @Test("a damaged database is set aside with a warning, and records begin anew", arguments: [0, 1, 2])
    func damage(how: Int) async throws {
        let store = try RecordSamples.store(in: self.folder)
        try await RecordSamples.fill(store)
        // Only the log has them otherwise.
        try await store.database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try await store.close()
        var bytes = try self.folder.read("records.db")
        switch how {
        case 0: bytes = Array("this is no database, whatever it was before".utf8)
        case 1: bytes.replaceSubrange(0..<4096, with: [UInt8](repeating: 0xAA, count: 4096))
        default: bytes.replaceSubrange(100..<2000, with: [UInt8](repeating: 0x55, count: 1900))
        }
        try self.folder.write("records.db", bytes)
        let warnings = Mutex<[String]>([])
        let again = try RecordSamples.store(in: self.folder) { text in warnings.withLock { $0.append(text) } }
        #expect(warnings.withLock { $0.count } == 1)
        #expect(try self.folder.names().contains { $0.hasPrefix("records.db.corrupt-") })
        try await again.write(RecordSamples.record("new"), under: .standard)
        #expect(try await again.search(RecordQuery()).records.map(\.id) == ["new"])
    }

    @Test("records go when their own time is over, with their words and what was said of them")
    func pruning() async throws {
        let store = try RecordSamples.store(in: self.folder)
        let short = EndpointSpec.Log(retention: ManifestDuration(milliseconds: 1000))
        try await store.write(RecordSamples.record("short", at: 0, text: "secret"), under: short)
        try await store.write(RecordSamples.record("long", at: 0, text: "secret"), under: .standard)
        _ = try await store.add(Feedback(requestID: "short", at: Timestamp(milliseconds: 1), score: 1)) { _ in true }
        // It ended a millisecond after it began.
        #expect(try await store.prune(now: Timestamp(milliseconds: 1000)) == 0)
        #expect(try await store.prune(now: Timestamp(milliseconds: 1001)) == 1)
        #expect(try await store.record("short") == nil)
        #expect(try await store.search(RecordQuery(text: "secret")).records.map(\.id) == ["long"])
        #expect(try await store.feedback(of: nil, limit: 10).isEmpty)
        #expect(store.figures.pruned == 1)
        // No word of it is left in the index.
        let check = try await store.database.write { database in
            try database.execute(sql: "INSERT INTO words (words) VALUES ('integrity-check')")
            return try Int.fetchOne(database, sql: "SELECT count(*) FROM words WHERE words MATCH 'secret'")
        }
        #expect(check == 1)
    }

    @Test("space of records that are gone is given back")
    func space() async throws {
        let store = try RecordSamples.store(in: self.folder)
        let log = EndpointSpec.Log(retention: ManifestDuration(milliseconds: 1))
        for number in 0..<50 {
            let text = String(repeating: "\(number) ", count: 20_000)
            try await store.write(RecordSamples.record("\(number)", text: text), under: log)
        }
        _ = try await store.search(RecordQuery(limit: 1))
        let before = try await store.database.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
        #expect(try await store.prune(now: Timestamp(milliseconds: 1_000_000)) == 50)
        let after = try await store.database.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
        #expect(after < before / 2)
    }

    @Test("any text can be searched for, and finds nothing more than its words")
    func hostileTexts() async throws {
        let store = try RecordSamples.store(in: self.folder)
        try await RecordSamples.fill(store)
        let texts = [
            "\"", "'", "*", "parcel\"", "AND", "parcel OR hello", "NEAR(parcel hello)", "text:parcel", "-parcel",
            "\0", "(", "pa*rcel", "^parcel", "parcel; DROP TABLE records", "   ",
        ]
        for text in texts { _ = try await store.search(RecordQuery(text: text)) }
        #expect(try await store.search(RecordQuery(text: "parcel OR hello")).records.isEmpty)
        #expect(try await store.search(RecordQuery(text: "parc*")).records.map(\.id) == ["b", "a"])
        #expect(try await store.search(RecordQuery(text: "\"parcel?\"")).records.map(\.id) == ["b", "a"])
    }

    @Test("a page has fewer records than its limit where they are large")
    func largeRecords() async throws {
        var limits = SQLiteRecordStore.Limits()
        limits.pageBytes = 1000
        let store = try RecordSamples.store(in: self.folder, limits: limits)
        for id in ["a", "b", "c"] {
            try await store.write(RecordSamples.record(id, text: String(repeating: "x", count: 800)), under: .standard)
        }
        let page = try await store.search(RecordQuery())
        #expect(page.records.map(\.id) == ["c"])
        #expect(try await store.search(RecordQuery(before: page.next)).records.map(\.id) == ["b"])
    }

    @Test("JSON that is written by hand is what coding writes")
    func json() throws {
        for record in [RecordSamples.full, RecordSamples.record("a")] {
            let coded = try JSONValue(parsing: Array(JSONEncoder().encode(record)))
            #expect(try JSONValue(parsing: record.json) == coded)
            #expect(try JSONDecoder().decode(RequestRecord.self, from: Data(record.json)) == record)
        }
    }
}
