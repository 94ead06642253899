import Foundation
import GRDB
import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

/// What only the database on disk promises.
struct SQLiteControlStoreTests {
    let folder: TemporaryFolder
    let path: String

    init() throws {
        self.folder = try TemporaryFolder()
        self.path = self.folder.file("control.db")
    }

    @Test("a commit is on the disk when write returns: WAL with synchronous=FULL")
    func durability() throws {
        let store = try SQLiteControlStore(path: self.path)
        try store.write([.suspend(.everything)])
        let (synchronous, journal) = try store.pool.writeWithoutTransaction { database in
            (
                try Int.fetchOne(database, sql: "PRAGMA synchronous"),
                try String.fetchOne(database, sql: "PRAGMA journal_mode")
            )
        }
        #expect(synchronous == 2)
        #expect(journal == "wal")
    }

    @Test("the newest commit of a database from before there were guards is the one in force")
    func guardsMigration() throws {
        let before = try DatabasePool(path: self.path)
        try ControlSchema.migrator.migrate(before, upTo: "3 audit")
        let records = [Samples.commit(1), Samples.commit(2, readAt: 5)]
        try before.write { database in
            for record in records {
                try database.execute(
                    sql: "INSERT INTO commits (id, read_at, record) VALUES (?, ?, ?)",
                    arguments: [record.commit.id, record.readAt.milliseconds, try StoredJSON.encode(record)]
                )
            }
        }
        try before.close()
        let store = try SQLiteControlStore(path: self.path)
        let applied = AppliedCommit(source: "default", commit: records[1].commit, at: records[1].readAt)
        #expect(try store.facts().applied == ["default": applied])
    }

    @Test("nobody else may read the database or its side files")
    func modes() throws {
        try SQLiteControlStore(path: self.path).close()
        chmod(self.path, 0o644)
        let store = try SQLiteControlStore(path: self.path)
        try store.write([.suspend(.everything)])
        for name in ["control.db", "control.db-wal", "control.db-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: self.folder.file(name))
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test("what was written is there after the process closed the database, and after it did not")
    func reopening() throws {
        var random = RandomChanges(seed: 7)
        let first = try SQLiteControlStore(path: self.path)
        for _ in 0..<10 { try first.write(try random.transaction()) }
        let contents = try StoreContents(of: first)
        #expect(try StoreContents(of: SQLiteControlStore(path: self.path)) == contents)
        try first.close()
        #expect(try StoreContents(of: SQLiteControlStore(path: self.path)) == contents)
    }

    @Test("a write that fails half-way changes nothing, and the numbers stay without gaps")
    func atomicity() throws {
        let store = try SQLiteControlStore(path: self.path)
        try store.write([.event(Samples.event(1)), .audit(Samples.audit(1))])
        let unstorable = Condition(
            type: .ready,
            status: .yes,
            reason: "Serving",
            message: "",
            lastTransitionTime: .nan
        )
        let before = try StoreContents(of: store)
        #expect(throws: (any Error).self) {
            try store.write([
                .suspend(.everything), .event(Samples.event(2)), .audit(Samples.audit(2)),
                .conditions(Samples.resource(1), [unstorable]),
            ])
        }
        #expect(try StoreContents(of: store) == before)
        #expect(try store.write([.event(Samples.event(3))]).map(\.sequence) == [2])
    }

    @Test("a graph is stored once however many variants' facts name it, and goes with the last of them")
    func sharedGraphs() throws {
        let store = try SQLiteControlStore(path: self.path)
        let (first, second) = (Samples.variant(0), Samples.variant(1))
        let shared = VariantFacts(graphs: [try Samples.graph(first, 1)])
        func count() throws -> Int? {
            try store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM graphs") }
        }
        try store.write([.variant(first, shared), .variant(second, shared)])
        #expect(try count() == 1)
        try store.write([.variant(first, try Samples.facts(first, revisions: [2, 3]))])
        #expect(try count() == 3)
        try store.write([.forgetVariant(second)])
        #expect(try count() == 2)
        try store.write([.forgetVariant(first)])
        #expect(try count() == 0)
    }

    @Test(
        "the audit log refuses every change but a new entry",
        arguments: [
            "UPDATE audit SET reason = 'nothing' WHERE sequence = 1", "DELETE FROM audit WHERE sequence = 2",
            "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE sequence = 1",
            "REPLACE INTO audit SELECT 2, at, actor, action, subject, reason, '', NULL, digest, NULL FROM audit LIMIT 1",
            "INSERT INTO audit SELECT 9, at, actor, action, subject, reason, '', NULL, digest, NULL FROM audit LIMIT 1",
        ]
    )
    func appendOnly(sql: String) throws {
        let store = try SQLiteControlStore(path: self.path)
        try store.write((1...2).map { .audit(Samples.audit($0)) })
        #expect(throws: DatabaseError.self) { try store.pool.write { try $0.execute(sql: sql) } }
        #expect(try store.verifyAudit().brokenAt == nil)
    }

    @Test(
        "verification finds the first entry that was tampered with",
        arguments: [
            ("UPDATE audit SET reason = 'nothing' WHERE sequence = 2", 2),
            ("UPDATE audit SET \"commit\" = 'ffff' WHERE sequence = 3", 3),
            ("UPDATE audit SET signer = 'eve' WHERE sequence = 2", 2),
            ("UPDATE audit SET digest = 'gone' WHERE sequence = 1", 1),
            ("UPDATE audit SET digest = (SELECT digest FROM audit WHERE sequence = 1) WHERE sequence = 4", 4),
            ("DELETE FROM audit WHERE sequence = 2", 2),
            ("DELETE FROM audit WHERE sequence = 4", 4),
            ("DELETE FROM audit", 1),
            (
                "INSERT INTO audit SELECT 5, at, actor, action, subject, reason, '', NULL, digest, NULL FROM audit LIMIT 1",
                5
            ),
            ("UPDATE audit SET sequence = -sequence WHERE sequence < 3", 1),
        ] as [(String, Int64)]
    )
    func tampering(sql: String, expected: Int64) throws {
        let store = try SQLiteControlStore(path: self.path)
        try store.write((1...4).map { .audit(Samples.audit($0)) })
        try store.pool.write { database in
            try database.execute(sql: "DROP TRIGGER audit_refuses_update; DROP TRIGGER audit_refuses_delete; ")
            try database.execute(sql: sql)
        }
        let found = try store.verifyAudit()
        #expect(found.brokenAt == expected)
        #expect(found.message.contains("audit log"))
    }

    @Test("a database of a newer Martlet is left alone")
    func tooNew() throws {
        try SQLiteControlStore(path: self.path).pool.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 later')")
        }
        let error = #expect(throws: MartletError.self) { try SQLiteControlStore(path: self.path) }
        #expect(error?.code == "StateTooNew")
    }

    @Test("a file that is no database is reported and kept")
    func noDatabase() throws {
        let junk = [UInt8]("this is not a database, whatever its name says. ".utf8) + [UInt8](repeating: 7, count: 5000)
        try self.folder.write("control.db", junk)
        let error = #expect(throws: MartletError.self) { try SQLiteControlStore(path: self.path) }
        #expect(error?.code == "StateCorrupted")
        #expect(error?.message.contains(self.path) == true)
        #expect(try self.folder.read("control.db") == junk)
    }

    @Test("a damaged page is found when the database is opened")
    func damagedPage() throws {
        let store = try SQLiteControlStore(path: self.path)
        for number in 1...200 { try store.write([.event(Samples.event(number))]) }
        try store.close()
        var bytes = try self.folder.read("control.db")
        for index in bytes.indices.dropFirst(4096) { bytes[index] = 0xA5 }
        try self.folder.write("control.db", bytes)
        let error = #expect(throws: MartletError.self) { try SQLiteControlStore(path: self.path) }
        #expect(error?.code == "StateCorrupted")
    }

    @Test("a row that cannot be read is reported with its table")
    func damagedRow() throws {
        let store = try SQLiteControlStore(path: self.path)
        try store.pool.write { try $0.execute(sql: "INSERT INTO variants VALUES ('default/desk', '{}')") }
        let error = #expect(throws: MartletError.self) { try store.facts() }
        #expect(error?.code == "StateCorrupted")
        #expect(error?.message.contains("variants") == true)
    }

    @Test("a folder that is not there is reported with the path")
    func noFolder() throws {
        let path = self.folder.file("missing/control.db")
        let error = #expect(throws: MartletError.self) { try SQLiteControlStore(path: path) }
        #expect(error?.code == "StateNotWritable")
        #expect(error?.message.contains(path) == true)
    }
}
