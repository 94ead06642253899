import Planning
import Schema
import StateStore
import TestSupport
import Testing

/// The stores that must behave alike.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite

    var testDescription: String { self.rawValue }

    /// Makes an empty store; what it keeps on disk goes with the folder.
    func make(in folder: TemporaryFolder, eventLimit: Int = 100_000) throws -> any ControlStore {
        switch self {
        case .memory: MemoryControlStore(eventLimit: eventLimit)
        case .sqlite: try SQLiteControlStore(path: folder.file("control.db"), eventLimit: Int64(eventLimit))
        }
    }
}

/// What every control store promises.
@Suite(.serialized)
struct ControlStoreCompatibilityTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    @Test("a new store holds nothing", arguments: StoreKind.allCases)
    func empty(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        #expect(try store.facts() == Facts())
        #expect(try store.unfinishedLoads().isEmpty)
        #expect(try store.conditions().isEmpty)
        #expect(try store.events(EventQuery()).isEmpty)
        #expect(try store.commits(limit: 10).isEmpty)
        #expect(try store.promotions(of: nil, limit: 10).isEmpty)
        #expect(try store.audit(limit: 10).isEmpty)
        #expect(
            try store.verifyAudit() == AuditVerification(entries: 0, brokenAt: nil, message: "the audit log is whole")
        )
        #expect(try store.write([]).isEmpty)
    }

    @Test("variants keep their facts and graphs, in order", arguments: StoreKind.allCases)
    func variants(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let (first, second) = (Samples.variant(0), Samples.variant(1))
        let old = try Samples.facts(first, revisions: [1, 2])
        let new = try Samples.facts(first, revisions: [3, 2, 1])
        let other = try Samples.facts(second, revisions: [2])
        try store.write([.variant(first, old), .variant(second, other)])
        #expect(try store.facts().variants == [first: old, second: other])
        try store.write([.variant(first, new)])
        #expect(try store.facts().variants == [first: new, second: other])
        try store.write([.forgetVariant(first)])
        #expect(try store.facts().variants == [second: other])
    }

    @Test("holds stand until they are lifted or their variant is forgotten", arguments: StoreKind.allCases)
    func holds(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let (first, second) = (Samples.variant(0), Samples.variant(1))
        try store.write([.hold(Samples.hold(first, 1)), .hold(Samples.hold(first, 2)), .hold(Samples.hold(second, 1))])
        let again = Samples.hold(first, 1, message: "again")
        try store.write([.hold(again)])
        #expect(try store.facts().holds == [Samples.hold(first, 2), Samples.hold(second, 1), again])
        try store.write([.liftHold(first, Samples.revision(2)), .liftHold(first, Samples.revision(9))])
        #expect(try store.facts().holds == [Samples.hold(second, 1), again])
        try store.write([.forgetVariant(second)])
        #expect(try store.facts().holds == [again])
    }

    @Test(
        "suspensions, probes, crashes and loading marks stand until they are taken away",
        arguments: StoreKind.allCases
    )
    func marks(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let (one, two) = (Samples.instance(1), Samples.instance(2))
        let all: [FactChange] = [
            .suspend(.everything), .suspend(.resource(Samples.resource(1))), .probe(one, Samples.probe(1)),
            .probe(two, Samples.probe(2)), .beginLoading(one), .beginLoading(two), .crashed(one), .crashed(two),
        ]
        try store.write(all + all)
        #expect(try store.facts().suspensions == [.everything, .resource(Samples.resource(1))])
        #expect(try store.facts().probes == [one: Samples.probe(1), two: Samples.probe(2)])
        #expect(try store.facts().crashed == [one, two])
        #expect(try store.unfinishedLoads() == [one, two].sorted())
        try store.write([.resume(.everything), .probe(one, Samples.probe(3)), .endLoading(one), .forgiveCrash(two)])
        #expect(try store.facts().suspensions == [.resource(Samples.resource(1))])
        #expect(try store.facts().probes == [one: Samples.probe(3), two: Samples.probe(2)])
        #expect(try store.facts().crashed == [one])
        #expect(try store.unfinishedLoads() == [two])
        try store.write([.forgetProbe(one), .forgetProbe(one)])
        #expect(try store.facts().probes == [two: Samples.probe(2)])
    }

    @Test("conditions are replaced as a whole", arguments: StoreKind.allCases)
    func conditions(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let (one, two) = (Samples.resource(1), Samples.resource(2))
        try store.write([.conditions(one, [Samples.condition("a"), Samples.condition("b")]), .conditions(two, [])])
        #expect(try store.conditions() == [one: [Samples.condition("a"), Samples.condition("b")]])
        try store.write([.conditions(one, []), .conditions(two, [Samples.condition("c")])])
        #expect(try store.conditions() == [two: [Samples.condition("c")]])
    }

    @Test("commits are listed once, by when they were last read", arguments: StoreKind.allCases)
    func commits(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let (a, b) = (Samples.commit(1, readAt: 1), Samples.commit(2, readAt: 2))
        try store.write([.commit(a), .commit(b)])
        let converged = Samples.commit(1, readAt: 1, converged: 5)
        try store.write([.commit(converged)])
        #expect(try store.commits(limit: 10) == [b, converged])
        let again = Samples.commit(1, readAt: 7)
        try store.write([.commit(again)])
        #expect(try store.commits(limit: 10) == [again, b])
        #expect(try store.commits(limit: 1) == [again])
        #expect(try store.commits(limit: -1).isEmpty)
    }

    @Test("the commit in force and what was confirmed are kept, each in its newest form", arguments: StoreKind.allCases)
    func guards(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        try store.write([.applied(Samples.applied("a", 1)), .confirmPrune(Samples.confirmation(1, of: 3))])
        try store.write([
            .applied(Samples.applied("a", 2)), .applied(Samples.applied("b", 3)),
            .confirmPrune(Samples.confirmation(1, of: 2)), .confirmPrune(Samples.confirmation(2, of: 1)),
        ])
        #expect(try store.facts().applied == ["a": Samples.applied("a", 2), "b": Samples.applied("b", 3)])
        let kept = [1: 2, 2: 1].map { (Samples.object($0), Samples.confirmation($0, of: $1)) }
        #expect(try store.facts().confirmations == Dictionary(uniqueKeysWithValues: kept))
        try store.write([.endConfirmation(Samples.object(1)), .endConfirmation(Samples.object(9))])
        #expect(try store.facts().confirmations.keys.sorted() == [Samples.object(2)])
    }

    @Test("promotions are listed by variant, newest first", arguments: StoreKind.allCases)
    func promotions(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let (first, second) = (Samples.variant(0), Samples.variant(1))
        let records = [Samples.promotion(first, 1), Samples.promotion(second, 2), Samples.promotion(first, 1)]
        try store.write(records.map { .promotion($0) })
        #expect(try store.promotions(of: nil, limit: 10) == records.reversed())
        #expect(try store.promotions(of: nil, limit: 2) == [records[2], records[1]])
        #expect(try store.promotions(of: first, limit: 10) == [records[2], records[0]])
        #expect(try store.promotions(of: second, limit: 10) == [records[1]])
    }

    @Test("events are numbered without gaps and found by range and resource", arguments: StoreKind.allCases)
    func events(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        let variant = Samples.variant(0)
        let first = try store.write([.event(Samples.event(1)), .event(Samples.event(2, variant: variant))])
        let second = try store.write([
            .event(Samples.event(3, resource: Samples.resource(9))), .crashed(Samples.instance(1)),
        ])
        #expect((first + second).map(\.sequence) == [1, 2, 3])
        #expect((first + second).map(\.message) == ["message 1", "message 2", "message 3"])
        #expect(try store.events(EventQuery()) == first + second)
        #expect(try store.events(EventQuery(limit: 2)) == [first[1]] + second)
        #expect(try store.events(EventQuery(after: 2)) == second)
        #expect(try store.events(EventQuery(after: 3)).isEmpty)
        #expect(try store.events(EventQuery(resource: variant.resource)) == [first[1]])
        #expect(try store.events(EventQuery(after: 2, resource: variant.resource)).isEmpty)
        #expect(try store.events(EventQuery(resource: Samples.resource(9))) == second)
        #expect(try store.events(EventQuery(limit: -3)).isEmpty)
    }

    @Test("only the newest events are kept, and their numbers go on", arguments: StoreKind.allCases)
    func eventLimit(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder, eventLimit: 3)
        for number in 1...5 { try store.write([.event(Samples.event(number))]) }
        #expect(try store.events(EventQuery()).map(\.sequence) == [3, 4, 5])
        let stored = try store.write((6...10).map { .event(Samples.event($0)) })
        #expect(stored.map(\.sequence) == [6, 7, 8, 9, 10])
        #expect(try store.events(EventQuery()).map(\.sequence) == [8, 9, 10])
    }

    @Test("the audit log is a chain from its first entry on", arguments: StoreKind.allCases)
    func audit(kind: StoreKind) throws {
        let store = try kind.make(in: self.folder)
        try store.write([.audit(Samples.audit(1)), .audit(Samples.audit(1))])
        try store.write([.audit(Samples.audit(2))])
        let entries = try store.audit(limit: 10)
        #expect(entries.map(\.sequence) == [3, 2, 1])
        #expect(entries.map(\.reason) == [2, 1, 1].map { Samples.audit($0).reason })
        #expect(Set(entries.compactMap(\.digest)).count == 3)
        #expect(try store.audit(limit: 2) == Array(entries.prefix(2)))
        #expect(
            try store.verifyAudit() == AuditVerification(entries: 3, brokenAt: nil, message: "the audit log is whole")
        )
        var chain = AuditChain()
        #expect(entries.reversed().allSatisfy { chain.accept($0) })
    }

    @Test("a memory store fails where it is told to, and then keeps nothing of that write")
    func injectedFault() throws {
        let store = MemoryControlStore()
        store.failWrite(2)
        try store.write([.suspend(.everything)])
        #expect(throws: MartletError.self) { try store.write([.resume(.everything), .event(Samples.event(1))]) }
        #expect(try store.facts().suspensions == [.everything])
        #expect(try store.write([.event(Samples.event(1))]).map(\.sequence) == [1])
        store.failNextWrite()
        #expect(throws: MartletError.self) { try store.write([.resume(.everything)]) }
        #expect(store.writeCount == 4)
    }
}
