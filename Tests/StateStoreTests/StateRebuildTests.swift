import Foundation
import GRDB
import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import StateStore

/// What `martlet run --rebuild-state` keeps, rescues and says.
struct StateRebuildTests {
    private let folder: TemporaryFolder
    private let directory: StateDirectory
    private let time = Timestamp(milliseconds: 1_700_000_000_000)

    init() throws {
        self.folder = try TemporaryFolder.withDatabase()
        self.directory = try StateDirectory(StatePaths(root: self.folder.path))
    }

    private func rebuild(files: FileOperations = .system) throws -> RebuildReport? {
        try StateRebuild.run(self.directory, by: Actor("ada"), at: self.time, files: files)
    }

    private var path: String { self.folder.file("control.db") }
    private let aside = "control.db.corrupt-20231114T221320Z"

    @Test("a sound database, and one that was never made, are left as they are")
    func sound() throws {
        let contents = try StoreContents(of: SQLiteControlStore(path: self.path))
        #expect(try self.rebuild() == nil)
        #expect(try StoreContents(of: SQLiteControlStore(path: self.path)) == contents)
        let empty = try TemporaryFolder()
        let directory = try StateDirectory(StatePaths(root: empty.path))
        #expect(try StateRebuild.run(directory, by: Actor("ada"), at: self.time) == nil)
        #expect(try !empty.names().contains("control.db"))
    }

    @Test("what is no database is kept byte by byte, and a new one tells of it")
    func nothingReadable() throws {
        let junk = Array("no database at all".utf8)
        let log = [UInt8](repeating: 9, count: 5000)
        try self.folder.write("control.db", junk)
        try self.folder.write("control.db-wal", log)
        let report = try #require(try self.rebuild())
        #expect(report.aside == self.folder.file(self.aside))
        #expect(try self.folder.read(self.aside) == junk)
        #expect(try self.folder.read("\(self.aside)-wal") == log)
        let store = try SQLiteControlStore(path: self.path)
        #expect(try store.facts() == Facts())
        #expect(try store.audit(limit: 10).map(\.action) == ["rebuildState"])
        #expect(try store.events(EventQuery()).map(\.reason) == ["StateRebuilt"])
        #expect(try store.verifyAudit().brokenAt == nil)
        #expect(report.lines.joined().contains("rescued: nothing"))
        let mode = try FileManager.default.attributesOfItem(atPath: self.path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test("everything but the damaged rows is carried over", arguments: ["events", "audit", "probes"])
    func damagedTable(table: String) throws {
        // In one file, so that the pages can be found.
        try SQLiteControlStore(path: self.path).close()
        let before = try StoreContents(of: SQLiteControlStore(path: self.path))
        try Self.scribble(over: table, in: self.folder)
        let damaged = try self.folder.read("control.db")
        #expect(throws: MartletError.self) { try SQLiteControlStore(path: self.path) }
        let report = try #require(try self.rebuild())
        #expect(try self.folder.read(self.aside) == damaged)
        let store = try SQLiteControlStore(path: self.path)
        let after = try StoreContents(of: store)
        #expect(after.facts.variants == before.facts.variants)
        #expect(after.facts.holds == before.facts.holds)
        #expect(after.facts.suspensions == before.facts.suspensions)
        #expect(after.promotions == before.promotions)
        #expect(after.commits == before.commits)
        #expect(try store.verifyAudit().brokenAt == nil)
        let newest = try #require(after.events.last)
        #expect(newest.reason == "StateRebuilt" && newest.sequence == 206, "numbers go on")
        let rescued = after.events.dropLast()
        #expect(rescued.allSatisfy { before.events.contains($0) })
        switch table {
        case "events":
            #expect(rescued.count > 100 && rescued.count < 205, "\(rescued.count)")
            #expect(report.lines.joined().contains("lost: events (a part cannot be read)"), "\(report.lines)")
            #expect(report.audit.contains("whole: all 205"))
        case "audit":
            #expect(rescued.count == 205)
            let kept = after.audit.filter { $0.action != "rebuildState" }
            #expect(!kept.isEmpty && kept.count < 205)
            #expect(kept.allSatisfy { before.audit.contains($0) })
            #expect(report.audit.contains("of 205 entries that were written"), "\(report.audit)")
            #expect(report.audit.contains(try #require(before.audit.first?.digest).hex))
            let loose = String(decoding: try self.folder.read("\(self.aside)-audit.jsonl"), as: UTF8.self)
            let entries = try loose.split(separator: "\n").map {
                try JSONDecoder().decode(AuditEntry.self, from: Data($0.utf8))
            }
            #expect(!entries.isEmpty && entries.allSatisfy { before.audit.contains($0) })
        default:
            #expect(rescued.count == 205)
        }
    }

    @Test("rows that cannot be understood are left out, and named")
    func damagedRows() throws {
        let database = try DatabaseQueue(path: self.path)
        try database.write { database in
            try database.execute(sql: "UPDATE holds SET hold = substr(hold, 5)")
            try database.execute(sql: "UPDATE events SET event = 'x' WHERE sequence = 7")
            try database.execute(sql: "UPDATE graphs SET graph = replace(graph, 'tiny', 'tony') WHERE rowid = 2")
        }
        try database.close()
        let report = try #require(try self.rebuild())
        let store = try SQLiteControlStore(path: self.path)
        let facts = try store.facts()
        #expect(facts.holds.isEmpty)
        #expect(facts.variants.isEmpty, "without its promoted graph it is brought from git")
        #expect(try store.events(EventQuery(limit: 1000)).count == 205)
        let lost = try #require(report.lines.first { $0.hasPrefix("lost") })
        for words in ["1 of holds", "1 of events", "1 of graphs", "1 of variants"] {
            #expect(lost.contains(words), "\(lost)")
        }
    }

    @Test("a rebuild that fails at any call, or is cut short there, is finished by the next one")
    func everyCallFailsOnce() throws {
        let junk = Array("no database at all".utf8)
        var calls = 0
        for failing in 1...100 {
            let folder = try TemporaryFolder.withDatabase(events: 3)
            try folder.write("control.db", junk)
            let log = try folder.read("control.db-wal")
            let directory = try StateDirectory(StatePaths(root: folder.path))
            let fault = CountedFault(failing)
            func rebuild() throws -> RebuildReport? {
                try StateRebuild.run(directory, by: Actor("ada"), at: self.time, files: fault.files)
            }
            let outcome = Result { try rebuild() }
            if case .failure = outcome {
                let error = #expect(throws: MartletError.self) { try outcome.get() }
                #expect(error?.code == "StateNotWritten", "call \(failing): \(error.map { "\($0)" } ?? "")")
                // Until it is finished, nobody may take what is there for the state.
                #expect(throws: MartletError.self, "call \(failing)") {
                    try SQLiteControlStore(path: folder.file("control.db"))
                }
                #expect(try rebuild() != nil)
            }
            #expect(try folder.read(self.aside) == junk, "call \(failing)")
            #expect(try folder.read("\(self.aside)-wal") == log)
            let store = try SQLiteControlStore(path: folder.file("control.db"))
            #expect(try store.audit(limit: 10).map(\.action) == ["rebuildState"], "call \(failing)")
            #expect(try folder.names().filter { $0.contains("corrupt") }.count == 2)
            guard fault.hasFired else { break }
            calls = failing
        }
        #expect((8...99).contains(calls), "\(calls)")
    }

    @Test("a newer Martlet's database is not rebuilt")
    func tooNew() throws {
        let database = try DatabaseQueue(path: self.path)
        try database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 later')") }
        try database.close()
        let error = #expect(throws: MartletError.self) { try self.rebuild() }
        #expect(error?.code == "StateTooNew")
    }

    /// Writes noise over a page of a table that is not its root, or over its only one.
    private static func scribble(over table: String, in folder: TemporaryFolder) throws {
        let database = try DatabaseQueue(path: folder.file("control.db"))
        let pages = try database.read { database in
            let root = try Int.fetchOne(
                database,
                sql: "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?",
                arguments: [table]
            )
            return (root ?? 0, try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096)
        }
        try database.close()
        try folder.change("control.db") { bytes in
            let root = (pages.0 - 1) * pages.1
            var page = pages.0
            if bytes[root] == 5 {
                // An interior page: take the child in the middle.
                let count = Int(bytes[root + 3]) << 8 | Int(bytes[root + 4])
                let pointer = root + 12 + 2 * (count / 2)
                let cell = root + (Int(bytes[pointer]) << 8 | Int(bytes[pointer + 1]))
                page = bytes[cell..<cell + 4].reduce(0) { $0 << 8 | Int($1) }
            }
            let start = (page - 1) * pages.1
            for index in start..<start + pages.1 { bytes[index] = 0xA5 }
        }
    }
}

/// Makes one of the calls that change files fail.
final class CountedFault: Sendable {
    private let state: Mutex<(calls: Int, hasFired: Bool)>
    private let failing: Int
    private let error: Int32

    init(_ failing: Int, with error: Int32 = ENOSPC) {
        self.state = Mutex((0, false))
        self.failing = failing
        self.error = error
    }

    var hasFired: Bool { self.state.withLock { $0.hasFired } }

    var files: FileOperations {
        FileOperations { _, _ in
            self.state.withLock { state in
                state.calls += 1
                guard state.calls == self.failing else { return 0 }
                state.hasFired = true
                return self.error
            }
        }
    }
}
