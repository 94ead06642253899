import Foundation
import GRDB
import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

/// What is said of a database that cannot be used, and that nothing about it changes.
struct DatabaseCheckTests {
    /// A way to break a database, and what must be said about it.
    struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var words: String
        var code = "StateCorrupted"
        var cause: @Sendable (TemporaryFolder) throws -> Void

        static let all = [
            Damage(testDescription: "empty", words: "it is empty") { try $0.write("control.db", []) },
            Damage(testDescription: "gone, its log left", words: "it is gone") {
                try FileManager.default.removeItem(atPath: $0.file("control.db"))
            },
            Damage(testDescription: "another file", words: "no SQLite database") {
                try $0.write("control.db", Array("this is no database, whatever its name says".utf8))
            },
            Damage(testDescription: "cut inside its header", words: "cut short: only 50 bytes") {
                try $0.write("control.db", Array(try $0.read("control.db").prefix(50)))
            },
            Damage(testDescription: "cut after its header", words: "cut short: only 1000 bytes") {
                try $0.write("control.db", Array(try $0.read("control.db").prefix(1000)))
            },
            Damage(testDescription: "cut in half", words: "damaged") {
                try $0.change("control.db") { $0.removeLast($0.count / 2) }
            },
            Damage(testDescription: "a page of noise", words: "damaged") {
                try $0.change("control.db") { bytes in
                    for index in 8192..<(bytes.count - 4096) { bytes[index] = 0xA5 }
                }
            },
            Damage(testDescription: "a log of noise", words: "the beginning of its log") {
                try $0.change("control.db-wal") { bytes in
                    for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 37) }
                }
            },
            Damage(testDescription: "one bad byte early in the log", words: "transactions after it are lost") {
                try $0.change("control.db-wal") { $0[32 + 24 + 100] ^= 0x40 }
            },
            Damage(testDescription: "a folder", words: "it is no file") {
                try FileManager.default.removeItem(atPath: $0.file("control.db"))
                try FileManager.default.createDirectory(
                    atPath: $0.file("control.db"),
                    withIntermediateDirectories: false
                )
            },
            Damage(testDescription: "a newer Martlet's", words: "newer", code: "StateTooNew") {
                let database = try DatabaseQueue(path: $0.file("control.db"))
                try database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 later')") }
                try database.close()
            },
        ]
    }

    @Test("a database that cannot be used is named, with what to do, and left alone", arguments: Damage.all)
    func damage(damage: Damage) throws {
        let folder = try TemporaryFolder.withDatabase()
        try damage.cause(folder)
        let before = try folder.contents()
        let error = #expect(throws: MartletError.self) { try SQLiteControlStore(path: folder.file("control.db")) }
        #expect(error?.code == damage.code)
        #expect(error?.message.contains(damage.words) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder.file("control.db")) == true)
        if damage.code == "StateCorrupted" {
            #expect(error?.message.contains("martlet restore") == true)
            #expect(error?.message.contains("--rebuild-state") == true)
        }
        #expect(try folder.contents() == before)
    }

    @Test("the log of a process that was killed, and one whose last transaction is torn, are sound")
    func tornLog() throws {
        let folder = try TemporaryFolder.withDatabase()
        let whole = try folder.read("control.db-wal")
        #expect(try WriteAheadLog.damage(at: folder.file("control.db-wal")) == nil)
        for cut in [0, 1, 31, 32, 33, whole.count / 3, whole.count - 1] {
            try folder.write("control.db-wal", Array(whole.prefix(cut)))
            #expect(try WriteAheadLog.damage(at: folder.file("control.db-wal")) == nil, "cut at \(cut)")
        }
        var torn = whole
        torn[torn.count - 100] ^= 1
        try folder.write("control.db-wal", torn)
        #expect(try WriteAheadLog.damage(at: folder.file("control.db-wal")) == nil)
    }

    @Test("a log that was begun again over an older one is sound")
    func leftoversInLog() throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteControlStore(path: folder.file("live.db"))
        for number in 1...20 { try store.write([.event(Samples.event(number))]) }
        try store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.restart) }
        try store.write([.event(Samples.event(21))])
        #expect(try folder.read("live.db-wal").count > 10 * 4096, "the old frames lie behind the new ones")
        #expect(try WriteAheadLog.damage(at: folder.file("live.db-wal")) == nil)
    }

    @Test("a sound database is read without leaving anything behind")
    func leavesNothing() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("control.db")
        #expect(try DatabaseCheck.exists(path) == false)
        try SQLiteControlStore(path: path).close()
        let before = try folder.contents()
        #expect(try DatabaseCheck.exists(path))
        #expect(try folder.contents() == before)
    }
}

extension TemporaryFolder {
    /// A folder with the files of a database as a killed process leaves them: some pages in it, some in its log.
    static func withDatabase(events: Int = 200) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let live = try TemporaryFolder()
        let store = try SQLiteControlStore(path: live.file("control.db"))
        let variant = Samples.variant(0)
        try store.write([
            .variant(variant, try Samples.facts(variant, revisions: [1, 2])), .suspend(.everything),
            .hold(Samples.hold(variant, 1)), .promotion(Samples.promotion(variant, 2)), .commit(Samples.commit(1)),
        ])
        for number in 1...events { try store.write([.event(Samples.event(number)), .audit(Samples.audit(number))]) }
        try store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        for number in 1...5 {
            try store.write([.event(Samples.event(events + number)), .audit(Samples.audit(events + number))])
        }
        for name in ["control.db", "control.db-wal"] { try folder.write(name, try live.read(name)) }
        return folder
    }

    /// Changes the bytes of a file.
    func change(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = try self.read(name)
        body(&bytes)
        try self.write(name, bytes)
    }

    /// The bytes of every file in the folder, by name; a folder has none.
    func contents() throws -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: try self.names().map { ($0, (try? self.read($0)) ?? []) })
    }
}
