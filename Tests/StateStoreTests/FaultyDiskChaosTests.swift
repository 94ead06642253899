import Foundation
import GRDB
import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

/// Every write of the database fails once, in turn: nothing wrong stays behind.
///
/// The faults lie below SQLite, where a full or a broken disk would be.
@Suite(.serialized)
struct FaultyDiskChaosTests {
    /// What a controller writes in the life of a few commits: the same for every run.
    private static let story: [[FactChange]] = {
        let (desk, other) = (Samples.variant(0), Samples.variant(2))
        func facts(_ variant: VariantID, _ revisions: Int...) -> VariantFacts {
            (try? Samples.facts(variant, revisions: revisions)) ?? VariantFacts()
        }
        return [
            [.commit(Samples.commit(1)), .event(Samples.event(1)), .beginLoading(Samples.instance(1))],
            [.endLoading(Samples.instance(1)), .probe(Samples.instance(1), Samples.probe(1))],
            [.variant(desk, facts(desk, 1)), .variant(other, facts(other, 1)), .event(Samples.event(2))],
            [.promotion(Samples.promotion(desk, 1)), .audit(Samples.audit(1)), .event(Samples.event(3))],
            [.hold(Samples.hold(desk, 2)), .audit(Samples.audit(2)), .event(Samples.event(4, variant: desk))],
            [.suspend(.everything), .audit(Samples.audit(3))],
            [.conditions(Samples.resource(1), [Samples.condition("well")]), .event(Samples.event(5))],
            [.resume(.everything), .suspend(.resource(Samples.resource(1))), .audit(Samples.audit(4))],
            [.variant(desk, facts(desk, 2, 1)), .liftHold(desk, Samples.revision(2)), .event(Samples.event(6))],
            [.forgetVariant(other), .audit(Samples.audit(5)), .event(Samples.event(7))],
            [.commit(Samples.commit(1, converged: 9)), .crashed(Samples.instance(2)), .event(Samples.event(8))],
        ]
    }()

    /// Each write again until it succeeds, as the loop does; then as after a restart.
    private static func tell(in path: String, checkpoints: Bool) throws -> StoreContents {
        let store = try self.again { try SQLiteControlStore(path: path) }
        for (number, changes) in self.story.enumerated() {
            let before = try StoreContents(of: store)
            let stored = try self.again { () throws -> [Event] in
                do {
                    return try store.write(changes)
                } catch {
                    #expect(try StoreContents(of: store) == before, "a write that failed changed something")
                    throw error
                }
            }
            #expect(stored.count == changes.count { if case .event = $0 { true } else { false } })
            if checkpoints && number % 3 == 2 {
                try self.again {
                    try StoreFailure.translating(path) {
                        try store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
                    }
                }
            }
        }
        #expect(try store.verifyAudit().brokenAt == nil)
        // What a process leaves that is killed now.
        return try StoreContents(of: store)
    }

    /// Does it once more when it fails; whatever fails does so with a clear error.
    private static func again<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as MartletError {
            #expect(error.code == "StateNotWritten", "\(error)")
            #expect(error.disposition == .retryable)
            return try body()
        }
    }

    @Test("the story ends alike whichever write fails", arguments: zip(FaultyDisk.Fault.allCases, [false, true]))
    func everyWriteFailsOnce(fault: FaultyDisk.Fault, checkpoints: Bool) throws {
        let undisturbed = try TemporaryFolder()
        let expected = try Self.tell(in: undisturbed.file("control.db"), checkpoints: checkpoints)
        #expect(expected.events.map(\.sequence) == Array(1...8))
        #expect(expected.audit.count == 5)
        var writes = 0
        for number in 1...2000 {
            let folder = try TemporaryFolder()
            let disk = FaultyDisk(folder.path)
            disk.fail(number, with: fault)
            let path = folder.file("control.db")
            #expect(try Self.tell(in: path, checkpoints: checkpoints) == expected, "write \(number)")
            let hasFailed = disk.hasFailed
            let reopened = try SQLiteControlStore(path: path)
            #expect(try StoreContents(of: reopened) == expected, "after write \(number) and a restart")
            #expect(try reopened.verifyAudit().brokenAt == nil)
            #expect(try reopened.write([.event(Samples.event(9))]).map(\.sequence) == [9])
            guard hasFailed else { break }
            writes = number
        }
        #expect((60...1999).contains(writes), "\(writes) writes")
    }

    @Test("a process that is killed after a write that failed leaves the state before it or after it")
    func killedAfterTheFault() throws {
        for number in 1...200 {
            let folder = try TemporaryFolder()
            let disk = FaultyDisk(folder.path)
            let store = try SQLiteControlStore(path: folder.file("control.db"))
            for changes in Self.story.prefix(4) { try store.write(changes) }
            let before = try StoreContents(of: store)
            disk.fail(number, with: .brokenDisk)
            guard (try? store.write(Self.story[4])) == nil else { break }
            let copy = try TemporaryFolder()
            for name in ["control.db", "control.db-wal"] { try copy.write(name, try folder.read(name)) }
            try store.write(Self.story[4])
            let after = try StoreContents(of: store)
            let found = try SQLiteControlStore(path: copy.file("control.db"))
            #expect([before, after].contains(try StoreContents(of: found)), "write \(number)")
            #expect(try found.verifyAudit().brokenAt == nil)
        }
    }

    @Test("a database that may not grow refuses, says that the disk is full, and goes on when it may")
    func noRoom() throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteControlStore(path: folder.file("control.db"))
        try store.write([.event(Samples.event(1))])
        try store.pool.writeWithoutTransaction { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        let before = try StoreContents(of: store)
        let flood = (2...500).map { FactChange.event(Samples.event($0)) }
        let error = #expect(throws: MartletError.self) { try store.write(flood) }
        #expect(error?.code == "StateNotWritten")
        #expect(error?.message.contains("full") == true)
        #expect(error?.disposition == .retryable)
        #expect(try StoreContents(of: store) == before)
        try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
        #expect(try store.write(flood).count == 499)
    }
}
