import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Planning
import Schema
import TestSupport
import Testing

@testable import Gateway

/// One request to a fresh admin API.
private func administer(
    _ commands: FakeCommands,
    _ method: HTTPRequest.Method,
    _ path: String,
    _ body: String? = nil,
    headers: HTTPFields = [:]
) async throws -> Reply {
    let plane = AdminPlane(
        commands: commands,
        owner: Planning.Actor("owner"),
        identifiers: { "id" },
        records: (MemoryRecordStore(), FixedClock())
    )
    let application = Application(
        router: plane.makeRouter(),
        server: .noticingHangUps(logger: Logger(label: "test")),
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0))
    )
    return try await application.test(.live) { client in
        try await client.send(method, path, body, headers: headers)
    }
}

@Suite("Admin API")
struct AdminRoutesTests {
    @Test(
        "Every view asks the right question",
        arguments: [
            ("status", "status"),
            ("plan", "plan"),
            ("engines", "engines"),
            ("holds", "holds"),
            ("history", "history - 50"),
            ("history?variant=default/desk@acme&limit=7", "history default/desk@acme 7"),
            ("audit", "audit 100"),
            ("audit?limit=3", "audit 3"),
            ("audit/verify", "verifyAudit"),
            ("rollouts", "resources Endpoint -"),
            ("resources", "resources - -"),
            ("resources?kind=endpoints&namespace=shop", "resources Endpoint shop"),
            ("resources/model/shop/tiny", "resource Model/shop/tiny"),
            ("manifests", "manifests - -"),
            ("manifests?kind=models&namespace=shop", "manifests Model shop"),
            ("events", "events -1 - 100"),
            ("events?after=4&resource=Endpoint/default/desk&limit=9", "events 4 Endpoint/default/desk 9"),
        ]
    )
    func views(path: String, asked: String) async throws {
        let commands = FakeCommands()
        let reply = try await administer(commands, .get, "/api/v1/\(path)")
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.json != nil)
        #expect(commands.log == [asked])
        #expect(reply.header("x-request-id") == "id")
    }

    @Test("Views come back as the values they are")
    func coding() async throws {
        let status = try await administer(FakeCommands(), .get, "/api/v1/status")
        let view = try JSONDecoder().decode(StatusView.self, from: Data(status.text.utf8))
        #expect(view.holds == [FakeCommands.hold])
        let rollouts = try await administer(FakeCommands(), .get, "/api/v1/rollouts")
        #expect(rollouts.json?.array?.map { $0["variant"] } == ["default/desk"])
    }

    @Test("Long lists come in pages, each of which tells where the next one begins")
    func pages() async throws {
        let first = try await administer(FakeCommands(), .get, "/api/v1/resources?limit=1")
        #expect(first.json?.array?.compactMap { $0["name"]?.string } == ["desk"])
        let token = try #require(first.headers[.martletContinue])
        let second = try await administer(FakeCommands(), .get, "/api/v1/resources?limit=1&continue=\(token)")
        #expect(second.json?.array?.compactMap { $0["name"]?.string } == ["shelf"])
        #expect(second.headers[.martletContinue] == nil)
        let whole = try await administer(FakeCommands(), .get, "/api/v1/resources")
        #expect(whole.json?.array?.count == 2 && whole.headers[.martletContinue] == nil)
    }

    @Test(
        "Labels choose resources",
        arguments: [
            ("team=search", ["desk"]), ("team", ["desk", "shelf"]), ("team=sales,team", ["shelf"]), ("tier", []),
            ("team=search&label=team=sales", []),
        ] as [(String, [String])]
    )
    func labels(selector: String, names: [String]) async throws {
        let reply = try await administer(FakeCommands(), .get, "/api/v1/resources?label=\(selector)")
        #expect(reply.json?.array?.compactMap { $0["name"]?.string } == names)
    }

    @Test(
        "Every action says who asks, from where and why",
        arguments: [
            ("sync", #"{"reason": "now"}"#, 200, "sync by ann from cli: now"),
            ("sync", "", 200, "sync by ann from cli: "),
            ("sync", #"{"revision": "c0ffee"}"#, 200, "sync to c0ffee by ann from cli: "),
            ("confirm", #"{"commit": "c0ffee", "reason": "moved"}"#, 200, "confirm c0ffee by ann from cli: moved"),
            (
                "suspend", #"{"resource": "Endpoint/default/desk"}"#, 204,
                "suspend Endpoint/default/desk by ann from cli: "
            ),
            ("suspend", #"{"resource": null, "reason": "all"}"#, 204, "suspend everything by ann from cli: all"),
            ("resume", "{}", 204, "resume everything by ann from cli: "),
            (
                "rollback", #"{"variant": "default/desk", "to": "ab", "reason": "bad"}"#, 200,
                "rollback default/desk to ab by ann from cli: bad"
            ),
            ("retry", #"{"variant": "default/desk@acme"}"#, 204, "retry default/desk@acme by ann from cli: "),
            ("release", #"{"variant": "default/desk", "reason": "r"}"#, 204, "release default/desk by ann from cli: r"),
        ]
    )
    func actions(name: String, body: String, status: Int, logged: String) async throws {
        let commands = FakeCommands()
        let reply = try await administer(
            commands,
            .post,
            "/api/v1/\(name)",
            body,
            headers: [.init("x-martlet-actor")!: "ann"]
        )
        #expect(reply.status == status, "\(reply.text)")
        #expect(commands.log.filter { $0 != "status" } == [logged])
    }

    @Test(
        "sync names the sources that stayed back, of those that were asked for",
        arguments: [("{}", 500), (#"{"source": "shop"}"#, 500), (#"{"source": "desk"}"#, 200)]
    )
    func sourcesThatStayBack(body: String, status: Int) async throws {
        let commands = FakeCommands(unread: ["shop": "it has no branch 'main'"], read: ["desk"])
        let reply = try await administer(commands, .post, "/api/v1/sync", body)
        #expect(reply.status == status, "\(reply.text)")
        #expect(reply.text.contains("source 'shop': it has no branch 'main'") == (status == 500))
    }

    @Test("Who gives no name is the socket's owner")
    func owner() async throws {
        let commands = FakeCommands()
        _ = try await administer(commands, .post, "/api/v1/sync", "{}")
        #expect(commands.log.first == "sync by owner from cli: ")
    }

    @Test("Encoded bodies are decoded as they were")
    func bodies() throws {
        let encoder = JSONEncoder()
        let rollback = RollbackBody(variant: FakeCommands.variant, to: "ab", reason: "why")
        #expect(try RollbackBody(bytes: Array(encoder.encode(rollback))) == rollback)
        let suspend = SuspendBody(resource: nil, reason: "all")
        #expect(try SuspendBody(bytes: Array(encoder.encode(suspend))) == suspend)
        let variant = VariantBody(variant: FakeCommands.variant)
        #expect(try VariantBody(bytes: Array(encoder.encode(variant))) == variant)
        #expect(try SyncBody(bytes: Array(encoder.encode(SyncBody(reason: "r")))) == SyncBody(reason: "r"))
    }

    @Test(
        "Wrong requests are problem documents that say what to do",
        arguments: [
            (HTTPRequest.Method.get, "resources?kind=endpont", nil, 400, "BadRequest", "endpoints"),
            (.get, "resources?knd=model", nil, 400, "BadRequest", "kind"),
            (.get, "resources?label==x", nil, 400, "BadRequest", "team=search"),
            (.get, "resources?limit=0", nil, 400, "BadRequest", "limit"),
            (.get, "resources?continue=desk", nil, 400, "BadRequest", "x-martlet-continue"),
            (.get, "resources?continue=ff", nil, 400, "BadRequest", "x-martlet-continue"),
            (.get, "events?after=x", nil, 400, "BadRequest", "whole number"),
            (.get, "events?resource=desk", nil, 400, "BadRequest", "kind/namespace/name"),
            (.get, "history?variant=desk", nil, 400, "BadRequest", "namespace/endpoint"),
            (.get, "audit?limit=0", nil, 400, "BadRequest", "from 1"),
            (.get, "none", nil, 404, "NotFound", "/api/v1/none"),
            (.get, "sync", nil, 405, "MethodNotAllowed", "POST"),
            (.post, "status", "{}", 405, "MethodNotAllowed", "GET"),
            (.post, "rollback", #"{"variant": "default/desk"}"#, 400, "BadRequest", "reason"),
            (.post, "rollback", #"{"reason": "x"}"#, 400, "BadRequest", "'variant' is required"),
            (.post, "rollback", #"{"varant": "x"}"#, 400, "BadRequest", "did you mean 'variant'"),
            (.post, "suspend", #"{"resource": 1}"#, 400, "BadRequest", "string"),
            (.post, "suspend", "[]", 400, "BadRequest", "object"),
            (.post, "confirm", "{}", 400, "BadRequest", "'commit' is required"),
            (.post, "sync", "{", 400, "BadRequest", "not JSON"),
        ] as [(HTTPRequest.Method, String, String?, Int, String, String)]
    )
    func problems(
        method: HTTPRequest.Method,
        path: String,
        body: String?,
        status: Int,
        code: String,
        mentions: String
    ) async throws {
        let commands = FakeCommands()
        let reply = try await administer(commands, method, "/api/v1/\(path)", body)
        #expect(reply.status == status)
        #expect(reply.header("content-type") == "application/problem+json")
        #expect(reply.json?["status"] == .integer(Int64(status)))
        #expect(reply.json?["code"]?.string == code)
        #expect(reply.json?["detail"]?.string?.contains(mentions) == true, "\(reply.text)")
        #expect(reply.json?["type"] == "about:blank")
        #expect(reply.json?["title"] != nil)
        #expect(commands.log.isEmpty)
    }

    @Test(
        "What a caller sent is quoted by its beginning",
        arguments: [
            (HTTPRequest.Method.get, "resources?kind=", nil), (.get, "events?after=", nil),
            (.get, "events?follow=", nil), (.get, "events?resource=", nil), (.get, "history?variant=", nil),
            (.get, "resources?label==", nil), (.get, "resources?", nil), (.post, "sync", #"{"*": 1}"#),
            (.post, "suspend", #"{"resource": "*"}"#), (.post, "retry", #"{"variant": "*"}"#),
        ] as [(HTTPRequest.Method, String, String?)]
    )
    func quotes(method: HTTPRequest.Method, path: String, body: String?) async throws {
        let long = String(repeating: "x", count: 500)
        let path = body == nil ? path + long : path
        let reply = try await administer(FakeCommands(), method, "/api/v1/\(path)", body?.replacing("*", with: long))
        #expect(reply.status == 400)
        let detail = try #require(reply.json?["detail"]?.string)
        #expect(detail.contains("xxx…'") && detail.count < 250, "\(detail)")
    }

    @Test(
        "What the controller refuses has its status",
        arguments: [("NotFound", 404), ("Conflict", 409), ("BadRequest", 400), ("StoreBroken", 500)]
    )
    func refusals(code: String, status: Int) async throws {
        let commands = FakeCommands(failure: MartletError(code, "No such thing."))
        let reply = try await administer(commands, .get, "/api/v1/holds")
        #expect(reply.status == status)
        #expect(reply.json?["code"]?.string == code)
        #expect(reply.json?["detail"] == "No such thing.")
    }

    @Test("Followed events are told once each, stored ones first", arguments: ["?follow=true&after=1", "?after=1"])
    func follow(query: String) async throws {
        let desk = ResourceIdentity(.endpoint, namespace: "default", name: "desk")
        let (live, continuation) = AsyncStream<Event>.makeStream()
        for sequence: Int64 in [2, 3, 4] { continuation.yield(FakeCommands.event(sequence, desk)) }
        continuation.finish()
        let commands = FakeCommands(stored: [2, 3].map { FakeCommands.event($0, desk) }, live: live)
        let reply = try await administer(
            commands,
            .get,
            "/api/v1/events\(query)",
            headers: [.accept: "text/event-stream"]
        )
        #expect(reply.header("content-type") == "text/event-stream; charset=utf-8")
        let ids = reply.text.split(separator: "\n").filter { $0.hasPrefix("id: ") }
        #expect(ids == ["id: 2", "id: 3", "id: 4"])
        let events = try reply.events.filter { !$0.isEmpty }.map {
            try JSONDecoder().decode(Event.self, from: Data($0.utf8))
        }
        #expect(events == [2, 3, 4].map { FakeCommands.event($0, desk) })
        // Nobody who names an event misses one because of a limit.
        #expect(commands.log == ["events 1 - \(Int.max)"])
    }

    @Test("Followed events of one resource leave out all others, and go on where the client was")
    func followResource() async throws {
        let desk = ResourceIdentity(.endpoint, namespace: "default", name: "desk")
        let (live, continuation) = AsyncStream<Event>.makeStream()
        continuation.yield(FakeCommands.event(8))
        continuation.yield(FakeCommands.event(9, desk))
        continuation.finish()
        let commands = FakeCommands(live: live)
        let reply = try await administer(
            commands,
            .get,
            "/api/v1/events?follow=true&resource=\(desk)",
            headers: [.init("last-event-id")!: "7"]
        )
        #expect(reply.text.split(separator: "\n").filter { $0.hasPrefix("id: ") } == ["id: 9"])
        #expect(commands.log == ["events 7 \(desk) \(Int.max)"])
    }

    @Test("The document describes exactly the paths that there are")
    func openAPI() async throws {
        let reply = try await administer(FakeCommands(), .get, "/api/v1/openapi.json")
        let document = try #require(reply.json)
        #expect(document["openapi"] == "3.1.0")
        let served = try await ask(FakeEndpoints(), "/openapi.json", method: .get)
        #expect(served.json == document)
        for (path, operations) in document["paths"]?.object ?? [:] {
            let concrete = path.replacing(/\{[a-z]+\}/, with: "x")
            let reply =
                path.hasPrefix("/api/")
                ? try await administer(FakeCommands(), .options, concrete)
                : try await ask(FakeEndpoints(), concrete, method: .options)
            let methods = Set((reply.header("allow") ?? "").split(separator: ", ").map { $0.lowercased() })
            let described = Set((operations.object ?? [:]).keys).subtracting(["parameters"])
            #expect(methods.subtracting(["head"]) == described, "\(path)")
        }
        #expect(Self.danglingReferences(in: document) == [])
    }
}

extension AdminRoutesTests {
    /// Every `$ref` of a document that leads nowhere.
    static func danglingReferences(in document: JSONValue) -> [String] {
        func references(_ value: JSONValue) -> [String] {
            switch value {
            case .null, .bool, .integer, .number, .string: []
            case .array(let elements): elements.flatMap(references)
            case .object(let members):
                members.flatMap { name, value in name == "$ref" ? [value.string ?? "?"] : references(value) }
            }
        }
        return references(document).filter { reference in
            var target: JSONValue? = document
            for part in reference.split(separator: "/").dropFirst() { target = target?[String(part)] }
            return !reference.hasPrefix("#/") || target == nil
        }
    }
}
