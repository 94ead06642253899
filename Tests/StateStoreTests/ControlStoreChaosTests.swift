import GRDB
import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

/// What a killed process and lost power leave behind, made by copying the files of an open database.
struct ControlStoreChaosTests {
    /// The state after each of a number of writes, and the files as they lay on the disk after the last of them.
    struct Life {
        let folder: TemporaryFolder
        var states: [StoreContents]

        init(seed: Int, writes: Int) throws {
            self.folder = try TemporaryFolder()
            let store = try SQLiteControlStore(path: self.folder.file("live.db"))
            var random = RandomChanges(seed: UInt64(seed))
            self.states = [try StoreContents(of: store)]
            for _ in 0..<writes {
                try store.write(try random.transaction())
                self.states.append(try StoreContents(of: store))
            }
            try self.folder.write("control.db", try self.folder.read("live.db"))
            try self.folder.write("control.db-wal", try self.folder.read("live.db-wal"))
        }
    }

    @Test("a process that is killed loses nothing that was written", arguments: 1...Campaign.rounds(5))
    func killed(seed: Int) throws {
        let life = try Life(seed: seed, writes: 20)
        let store = try SQLiteControlStore(path: life.folder.file("control.db"))
        #expect(try StoreContents(of: store) == life.states.last)
        #expect(try store.verifyAudit().brokenAt == nil)
    }

    @Test("a transaction that had not ended leaves no trace")
    func killedInTransaction() throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteControlStore(path: folder.file("live.db"))
        try store.write([.event(Samples.event(1)), .audit(Samples.audit(1))])
        let before = try StoreContents(of: store)
        try store.pool.write { database in
            // With next to no cache, SQLite writes the pages of an open transaction to the log already.
            try database.execute(sql: "PRAGMA cache_size = 1; PRAGMA cache_spill = 1")
            let sizeBefore = try folder.read("live.db-wal").count
            var transaction = ControlTransaction(database, eventLimit: 1000)
            for number in 2...300 { try transaction.apply(.event(Samples.event(number))) }
            try transaction.apply(.suspend(.everything))
            try transaction.apply(.audit(Samples.audit(2)))
            #expect(try folder.read("live.db-wal").count > sizeBefore)
            try folder.write("control.db", try folder.read("live.db"))
            try folder.write("control.db-wal", try folder.read("live.db-wal"))
        }
        let reopened = try SQLiteControlStore(path: folder.file("control.db"))
        #expect(try StoreContents(of: reopened) == before)
        #expect(try reopened.write([.event(Samples.event(2))]).map(\.sequence) == [2])
    }

    @Test("a log that was cut anywhere gives the state after some whole write", arguments: 1...Campaign.rounds(3))
    func tornLog(seed: Int) throws {
        let life = try Life(seed: seed, writes: 12)
        let log = try life.folder.read("control.db-wal")
        let base = try life.folder.read("control.db")
        var reached = 0
        for cut in stride(from: 0, through: log.count, by: log.count / 40) {
            let folder = try TemporaryFolder()
            try folder.write("control.db", base)
            try folder.write("control.db-wal", Array(log[..<cut]))
            let contents = try StoreContents(of: SQLiteControlStore(path: folder.file("control.db")))
            // Some writes change nothing, so a state is sought from the one that the shorter log gave.
            let found = life.states[reached...].firstIndex(of: contents)
            #expect(found != nil, "cut at \(cut) of \(log.count)")
            reached = found ?? reached
        }
        #expect(reached > 0)
    }
}
