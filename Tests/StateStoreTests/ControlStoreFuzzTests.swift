import Planning
import Schema
import TestSupport
import Testing

/// Random changes, against the rule that says what they mean.
struct ControlStoreFuzzTests {
    @Test("both stores keep what the facts themselves say", arguments: 1...Campaign.rounds(20))
    func agreement(seed: Int) throws {
        let folder = try TemporaryFolder()
        let memory = try StoreKind.memory.make(in: folder, eventLimit: 7)
        let sqlite = try StoreKind.sqlite.make(in: folder, eventLimit: 7)
        var random = RandomChanges(seed: UInt64(seed))
        var facts = Facts()
        for _ in 0..<30 {
            let changes = try random.transaction()
            changes.forEach { facts.apply($0) }
            #expect(try memory.write(changes) == sqlite.write(changes))
        }
        let contents = try StoreContents(of: sqlite)
        #expect(try StoreContents(of: memory) == contents)
        #expect(contents.facts == facts)
        #expect(try sqlite.verifyAudit().brokenAt == nil)
    }
}
