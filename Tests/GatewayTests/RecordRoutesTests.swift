import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Planning
import Schema
import Serving
import TestSupport
import Testing

@testable import Gateway

/// Records and feedback on both planes.
struct RecordRoutesTests {
    private static func record(
        _ id: String,
        endpoint: String = "desk",
        tenant: String? = nil,
        status: String = "ok"
    ) -> RequestRecord {
        RequestRecord(
            id: id,
            startedAt: Timestamp(milliseconds: 5),
            operation: .chain,
            variant: VariantID(namespace: "default", endpoint: endpoint),
            tenant: tenant,
            revision: FakeEndpoints.revision,
            commit: FakeEndpoints.commit,
            status: status,
            input: ["message": .string("about \(id)")]
        )
    }

    private static func store() -> MemoryRecordStore {
        let store = MemoryRecordStore()
        for record in [
            self.record("a"), self.record("b/c ?", status: "failed"), self.record("t", tenant: "acme"),
            self.record("closed", endpoint: "closed"), self.record("idle", endpoint: "idle"),
        ] { _ = store.accept(record, under: .standard) }
        return store
    }

    private static func administer(
        _ store: MemoryRecordStore,
        _ method: HTTPRequest.Method,
        _ path: String,
        _ body: String? = nil
    ) async throws -> Reply {
        let plane = AdminPlane(
            commands: FakeCommands(),
            owner: Planning.Actor("owner"),
            identifiers: { "id" },
            records: (store, FixedClock())
        )
        return try await makeApplication(plane.makeRouter()).test(.live) { client in
            try await client.send(method, "/api/v1/\(path)", body)
        }
    }

    @Test(
        "requests are listed, newest first, by conditions and in pages",
        arguments: [
            ("requests", ["idle", "closed", "t", "b/c ?", "a"], nil),
            ("requests?limit=2", ["idle", "closed"], 4),
            ("requests?limit=2&before=4", ["t", "b/c ?"], 2),
            ("requests?after=3", ["closed", "idle"], nil),
            ("requests?endpoint=desk&status=ok", ["t", "a"], nil),
            ("requests?status=error", ["b/c ?"], nil),
            ("requests?tenant=acme", ["t"], nil),
            ("requests?text=closed%20about", ["closed"], nil),
            ("requests?since=6", [], nil),
        ] as [(String, [String], Int64?)]
    )
    func listing(path: String, ids: [String], next: Int64?) async throws {
        let reply = try await Self.administer(Self.store(), .get, path)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.json?["records"]?.array?.compactMap { $0["id"]?.string } == ids)
        #expect(reply.json?["next"] == next.map { .integer($0) })
        #expect(reply.json?["newest"] == 5)
    }

    @Test(
        "queries that mean nothing are refused",
        arguments: [
            "requests?limit=0", "requests?before=1&after=2", "requests?since=yesterday", "requests?format=xml",
            "requests?colour=red", "requests/a?x=1", "feedback?limit=x",
        ]
    )
    func refused(path: String) async throws {
        let reply = try await Self.administer(Self.store(), .get, path)
        #expect(reply.status == 400, "\(reply.text)")
    }

    @Test("one record is found by its id, whatever characters that has")
    func one() async throws {
        let reply = try await Self.administer(Self.store(), .get, "requests/b%2Fc%20%3F")
        #expect(reply.json?["id"] == "b/c ?")
        #expect(reply.json?["input"] == ["message": "about b/c ?"])
        let missing = try await Self.administer(Self.store(), .get, "requests/nope")
        #expect(missing.status == 404)
        #expect(missing.json?["code"] == "NotFound")
    }

    @Test("an export has each record on a line of its own")
    func export() async throws {
        let reply = try await Self.administer(Self.store(), .get, "requests?format=jsonl&endpoint=desk")
        let lines = try reply.text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(lines.compactMap { $0["id"]?.string } == ["t", "b/c ?", "a"])
        #expect(reply.header("content-type") == "application/jsonl; charset=utf-8")
    }

    @Test("operators give feedback on any request, and see all of it")
    func operators() async throws {
        let store = Self.store()
        let reply = try await Self.administer(store, .post, "requests/t/feedback", #"{"score": 1, "label": "good"}"#)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.json?["by"] == "owner")
        let empty = try await Self.administer(store, .post, "requests/t/feedback", "{}")
        #expect(empty.status == 400)
        let missing = try await Self.administer(store, .post, "requests/nope/feedback", #"{"score": 1}"#)
        #expect(missing.status == 404)
        let list = try await Self.administer(store, .get, "requests/t/feedback")
        #expect(list.json?.array?.map { $0["label"] } == ["good"])
        #expect(try await Self.administer(store, .get, "feedback").json?.array?.count == 1)
        let summary = try await Self.administer(store, .get, "feedback/summary")
        #expect(summary.json?.array?.first?["meanScore"] == 1)
    }

    private static func say(_ store: MemoryRecordStore, _ body: String) async throws -> Reply {
        var plane = makeDataPlane(FakeEndpoints())
        plane.records = store
        return try await makeApplication(plane).test(.live) { client in
            try await client.send(.post, "/v1/feedback", body)
        }
    }

    @Test("callers give feedback on their own requests", arguments: ["a", "idle"])
    func callers(id: String) async throws {
        let store = Self.store()
        let reply = try await Self.say(store, #"{"request_id": "\#(id)", "score": 0.5, "correction": {"x": 1}}"#)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.json == ["object": "feedback", "id": 1, "request_id": .string(id)])
        let stored = try await store.feedback(of: id, limit: 1)
        #expect(stored.map(\.score) == [0.5])
        #expect(stored.map(\.correction) == [["x": 1]])
        #expect(stored.map(\.by) == [nil])
    }

    @Test("an unknown request, somebody else's and one of a closed endpoint answer alike")
    func alike() async throws {
        let store = Self.store()
        var answers: Set<String> = []
        for id in ["nope", "t", "closed"] {
            let reply = try await Self.say(store, #"{"request_id": "\#(id)", "score": 1}"#)
            #expect((reply.status, reply.code) == (404, "request_not_found"))
            answers.insert(reply.message.replacing("'\(id)'", with: "ID"))
        }
        #expect(answers.count == 1)
        #expect(try await store.feedback(of: nil, limit: 10).isEmpty)
    }

    @Test(
        "feedback that says nothing, or in the wrong way, is refused",
        arguments: [
            #"{"request_id": "a"}"#, #"{"score": 1}"#, #"{"request_id": "a", "score": "1"}"#,
            #"{"request_id": "a", "label": 1}"#, #"{"request_id": 1, "score": 1}"#,
            #"{"request_id": "a", "rating": 1}"#,
            "[]", "",
        ]
    )
    func malformed(body: String) async throws {
        #expect(try await Self.say(Self.store(), body).status == 400)
    }
}
