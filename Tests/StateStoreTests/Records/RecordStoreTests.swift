import Planning
import Schema
import TestSupport
import Testing

@testable import StateStore

/// The stores that must behave alike.
enum RecordStoreKind: String, CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite

    var testDescription: String { self.rawValue }

    func make(in folder: TemporaryFolder) throws -> any RecordStore {
        switch self {
        case .memory: MemoryRecordStore()
        case .sqlite: try RecordSamples.store(in: folder)
        }
    }
}

/// What every store of records promises.
@Suite(.serialized)
struct RecordStoreTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    @Test("a record is found by its id as it was written, the newest of several", arguments: RecordStoreKind.allCases)
    func byID(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        #expect(try await store.record("a") == nil)
        let full = RecordSamples.full
        for record in [RecordSamples.record("b"), full, RecordSamples.record("c")] {
            try await store.write(record, under: .standard)
        }
        #expect(try await store.record(full.id) == full)
        var second = full
        second.status = "failed"
        #expect(store.accept(second, under: .standard))
        #expect(try await store.record(full.id) == second)
        #expect(try await store.search(RecordQuery(id: full.id)).records == [second, full])
    }

    private static let queries: [(RecordQuery, [String])] = [
        (RecordQuery(), ["e", "d", "c", "b", "a"]),
        (RecordQuery(limit: 2), ["e", "d"]),
        (RecordQuery(since: Timestamp(milliseconds: 3)), ["e", "d", "c"]),
        (RecordQuery(since: Timestamp(milliseconds: 2), until: Timestamp(milliseconds: 4)), ["c", "b"]),
        (RecordQuery(namespace: "shop"), ["c"]),
        (RecordQuery(endpoint: "desk"), ["e", "d", "b", "a"]),
        (RecordQuery(tenant: "acme"), ["b"]),
        (RecordQuery(revision: String(RecordSamples.revision(2).digest.hex.prefix(6))), ["d"]),
        (RecordQuery(revision: RecordSamples.revision(2).digest.hex.uppercased()), ["d"]),
        (RecordQuery(status: "ok"), ["d", "c", "b", "a"]),
        (RecordQuery(status: "queueFull"), ["e"]),
        (RecordQuery(status: RecordQuery.anyError), ["e"]),
        (RecordQuery(text: "PARCEL where"), ["a"]),
        (RecordQuery(text: "parcel"), ["b", "a"]),
        (RecordQuery(text: "parcel lost"), []),
        (RecordQuery(endpoint: "desk", text: "parcel", before: 2), ["a"]),
        (RecordQuery(after: 3), ["d", "e"]),
        (RecordQuery(after: 1, limit: 2), ["b", "c"]),
    ]

    @Test("records are searched by every condition, newest first", arguments: RecordStoreKind.allCases)
    func searching(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        try await RecordSamples.fill(store)
        for (query, ids) in Self.queries {
            #expect(try await store.search(query).records.map(\.id) == ids, "\(query)")
        }
    }

    @Test("pages follow each other in both directions and lose nothing", arguments: RecordStoreKind.allCases)
    func paging(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        try await RecordSamples.fill(store)
        var (query, found) = (RecordQuery(limit: 2), [String]())
        repeat {
            let page = try await store.search(query)
            #expect(page.newest == 5)
            found += page.records.map(\.id)
            query.before = page.next
        } while query.before != nil
        #expect(found == ["e", "d", "c", "b", "a"])
        var forward = RecordQuery(after: 0, limit: 3)
        let first = try await store.search(forward)
        forward.after = first.next
        let second = try await store.search(forward)
        #expect((first.records + second.records).map(\.id) == ["a", "b", "c", "d", "e"])
        #expect(second.next == nil)
    }

    @Test("replays are found by what they repeat", arguments: RecordStoreKind.allCases)
    func replays(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        try await store.write(RecordSamples.record("a"), under: .standard)
        for id in ["r1", "r2"] {
            var replay = RecordSamples.record(id)
            replay.replayOf = "a"
            try await store.write(replay, under: .standard)
        }
        #expect(try await store.replays(of: "a").map(\.id) == ["r1", "r2"])
    }

    @Test("a log without payloads keeps the record alone", arguments: RecordStoreKind.allCases)
    func withoutPayloads(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        let record = RecordSamples.full
        try await store.write(record, under: EndpointSpec.Log(payloads: .none))
        let kept = try #require(try await store.record(record.id))
        #expect((kept.input, kept.output, kept.parameters) == (nil, nil, nil))
        #expect(kept.steps.first?.children.first?.input == nil)
        #expect(kept.steps.first?.model == record.steps.first?.model)
        #expect(kept.usage == record.usage)
    }

    @Test("what is blackened is so before it is stored, in feedback too", arguments: RecordStoreKind.allCases)
    func redaction(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        let record = RecordSamples.record("a", text: "write to jo@example.org or (555) 123-4567")
        try await store.write(record, under: EndpointSpec.Log(redact: [.email]))
        #expect(try await store.record("a")?.input == ["message": "write to [email] or (555) 123-4567"])
        #expect(try await store.search(RecordQuery(text: "example")).records.isEmpty)
    }

    @Test(
        "feedback joins the newest record that it may be about, else there is no such record",
        arguments: RecordStoreKind.allCases
    )
    func feedback(kind: RecordStoreKind) async throws {
        let store = try kind.make(in: self.folder)
        try await RecordSamples.fill(store)
        let said = Feedback(
            requestID: "a",
            at: Timestamp(milliseconds: 9),
            by: "me",
            score: 0.5,
            label: "good",
            comment: "thanks",
            correction: ["text": "better"]
        )
        let stored = try await store.add(said) { $0.tenant == nil }
        #expect(stored.sequence == 1)
        _ = try await store.add(Feedback(requestID: "d", at: Timestamp(milliseconds: 10), score: 1)) { _ in true }
        _ = try await store.add(Feedback(requestID: "a", at: Timestamp(milliseconds: 11), score: 1)) { _ in true }
        #expect(try await store.feedback(of: "a", limit: 10).map(\.at.milliseconds) == [9, 11])
        #expect(try await store.feedback(of: "a", limit: 10).first == stored)
        #expect(try await store.feedback(of: nil, limit: 2).map(\.requestID) == ["d", "a"])
        for id in ["zzz", "b"] {
            let error = await #expect(throws: MartletError.self) {
                try await store.add(Feedback(requestID: id, at: Timestamp(milliseconds: 1))) { $0.tenant == nil }
            }
            #expect(error?.code == "NotFound")
            #expect(error?.message == "there is no record of a request '\(id)'")
        }
        let summaries = try await store.feedbackSummaries(since: nil)
        #expect(summaries.count == 2)
        let desk = try #require(summaries.first { $0.revision == RecordSamples.revision(1) })
        #expect((desk.count, desk.meanScore, desk.labels, desk.corrections) == (2, 0.75, ["good": 1], 1))
        #expect(try await store.feedbackSummaries(since: Timestamp(milliseconds: 10)).map(\.count).sorted() == [1, 1])
    }
}

/// Records for tests.
enum RecordSamples {
    static func store(
        in folder: TemporaryFolder,
        limits: SQLiteRecordStore.Limits = SQLiteRecordStore.Limits(),
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> SQLiteRecordStore {
        try SQLiteRecordStore(
            path: folder.file("records.db"),
            limits: limits,
            clock: ManualWallClock(),
            warn: warn
        )
    }

    static func revision(_ number: Int) -> Revision { Revision(Digest(of: "revision \(number)".utf8)) }

    static func record(
        _ id: String,
        at time: Int64 = 1,
        namespace: String = "default",
        endpoint: String = "desk",
        tenant: String? = nil,
        revision: Int = 1,
        status: String = "ok",
        text: String = "hello"
    ) -> RequestRecord {
        RequestRecord(
            id: id,
            startedAt: Timestamp(milliseconds: time),
            microseconds: 1500,
            operation: .chain,
            variant: VariantID(namespace: namespace, endpoint: endpoint),
            tenant: tenant,
            revision: self.revision(revision),
            commit: "c1",
            status: status,
            input: ["message": .string(text)],
            output: ["answer"]
        )
    }

    /// With every field set.
    static var full: RequestRecord {
        var record = self.record("full", text: "a \"quoted\"\nline — ü \u{1}")
        record.isRecording = true
        record.replayOf = "earlier"
        record.tenant = "acme"
        record.variant.tenant = "acme"
        record.status = "failed"
        record.errorMessage = "step 'a' failed"
        record.usage = TokenUsage(promptTokens: 1, completionTokens: 2, cachedTokens: 3)
        record.parameters = ["temperature": 0.25, "seed": 7, "stop": ["x", nil, true]]
        record.traceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let child = StepRecord(
            name: "inner",
            type: "http",
            startMicroseconds: 5,
            microseconds: 6,
            status: .failed,
            attempts: 2,
            input: ["q": 1.5],
            output: nil,
            errorCode: "failed",
            errorMessage: "no",
            effects: "read"
        )
        let named = StepRecord.Named(resource: "Model/default/m", digest: "ab")
        record.steps = [
            StepRecord(
                name: "a",
                type: "prompt",
                input: "in",
                output: ["out"],
                usage: record.usage,
                model: named,
                template: named,
                passages: [
                    Passage(document: "p.md", documentDigest: "git:1", start: 3, end: 9, text: "facts", score: 0.5)
                ],
                guards: [GuardRecord(place: "input", rule: "deny", action: "flag", detail: "d")],
                children: [child]
            ),
            StepRecord(name: "b", type: "set", status: .skipped, attempts: 0),
        ]
        return record
    }

    /// Five records that differ in what they are found by.
    static func fill(_ store: some RecordStore) async throws {
        let records = [
            self.record("a", at: 1, text: "Where is my parcel?"),
            self.record("b", at: 2, tenant: "acme", text: "The parcel came"),
            self.record("c", at: 3, namespace: "shop", endpoint: "till"),
            self.record("d", at: 4, revision: 2),
            self.record("e", at: 5, status: "queueFull"),
        ]
        for record in records { try await store.write(record, under: .standard) }
    }
}
