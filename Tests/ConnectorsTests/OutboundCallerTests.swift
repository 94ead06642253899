import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Connectors

@Suite("Calls of servers elsewhere")
struct OutboundCallerTests {
    private static let secret = "s3cret-value-42"

    /// A caller that knows one name, which is this machine, and one secret.
    private func caller(
        limits: OutboundCaller.Limits = .init(),
        addresses: @escaping @Sendable () -> [String] = { ["127.0.0.1"] }
    ) -> OutboundCaller {
        OutboundCaller(
            secret: { _ in Array("Bearer \(Self.secret)".utf8) },
            resolver: HostResolver { _ in addresses().compactMap { IPAddress($0) } },
            limits: limits
        )
    }

    private func request(
        _ server: ScriptedUpstream,
        _ path: String = "/",
        change: (inout OutboundRequest) -> Void = { _ in }
    ) -> OutboundRequest {
        var request = OutboundRequest(
            method: "POST",
            url: "http://shop.example:\(server.port)\(path)",
            body: ["a": 1],
            timeout: .seconds(30),
            allowedHosts: ["shop.example"],
            allowsPrivateAddresses: true
        )
        change(&request)
        return request
    }

    private func failure(_ caller: OutboundCaller, _ request: OutboundRequest) async -> OutboundFailure? {
        do {
            _ = try await caller.call(request)
            return nil
        } catch {
            return error as? OutboundFailure
        }
    }

    @Test("JSON goes out and comes in, with headers, a secret and a query")
    func call() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(#"{"found":[1,2]}"#)
        } _: { server in
            let answer = try await self.caller().call(
                self.request(server, "/find?k=v") {
                    $0.query = ["q": "a&b"]
                    $0.headers = [
                        "X-Shop": .text("north"), "Authorization": .secret(SecretReference(fromEnv: "KEY")),
                    ]
                    $0.traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                }
            )
            #expect(answer == OutboundAnswer(status: 200, body: ["found": [1, 2]]))
            let seen = try #require(server.requests.first)
            #expect(seen.method == "POST" && seen.path == "/find?k=v&q=a%26b")
            #expect(seen.json == ["a": 1])
            #expect(seen.headers["host"] == "shop.example:\(server.port)")
            #expect(seen.headers["x-shop"] == "north")
            #expect(seen.headers["authorization"] == "Bearer \(Self.secret)")
            #expect(seen.headers["content-type"] == "application/json")
            #expect(seen.headers["traceparent"]?.hasPrefix("00-0af7") == true)
        }
    }

    @Test("An answer is JSON, a text or nothing")
    func bodies() async throws {
        for (type, body, expected) in [
            ("application/json", "[1]", JSONValue.array([1])), ("text/plain", "[1]", [1]),
            ("text/plain", "hello", "hello"),
            ("application/json", "", .null),
        ] {
            try await ScriptedUpstream.run { _, connection in
                try await connection.answer(type: type, body)
            } _: { server in
                let answer = try await self.caller().call(self.request(server))
                #expect(answer.body == expected)
            }
        }
    }

    static let troubles: [(status: Int, headers: [String: String], body: String, kind: OutboundFailure.Kind)] = [
        (200, [:], "{not json", .invalidAnswer), (400, [:], #"{"error":"no such size"}"#, .rejected),
        (401, [:], "no", .misconfigured), (404, [:], "no", .misconfigured),
        (429, ["retry-after": "7"], "", .rateLimited), (500, [:], "oops", .unavailable), (503, [:], "", .unavailable),
        (302, ["location": "http://169.254.169.254/"], "", .refused),
        (307, ["location": "/elsewhere"], "", .refused),
    ]

    @Test("Any answer but success is a failure, and redirects are not followed", arguments: troubles.indices)
    func refusals(index: Int) async throws {
        let trouble = Self.troubles[index]
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(status: trouble.status, headers: trouble.headers, trouble.body)
        } _: { server in
            let failure = await self.failure(self.caller(), self.request(server))
            #expect(failure?.kind == trouble.kind)
            #expect(failure?.status == (trouble.status == 200 ? nil : trouble.status))
            #expect(failure?.retryAfter == (trouble.status == 429 ? 7 : nil))
            #expect(server.requests.count == 1)
        }
    }

    @Test("Too much is neither sent nor taken")
    func limits() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.send(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\""
            )
            while true { try await connection.send(String(repeating: "x", count: 1 << 16)) }
        } _: { server in
            let small = self.caller(limits: .init(sent: 64, received: 1 << 18))
            let endless = await self.failure(small, self.request(server))
            #expect(endless?.kind == .invalidAnswer)
            let long = JSONValue.string(String(repeating: "x", count: 100))
            let sent = await self.failure(small, self.request(server) { $0.body = long })
            #expect(sent?.kind == .invalidInput)
            #expect(server.requests.count == 1)
        }
    }

    @Test("A server that never answers is given up")
    func slow() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12")
            await connection.waitForHangUp()
        } _: { server in
            let failure = await self.failure(self.caller(), self.request(server) { $0.timeout = .milliseconds(200) })
            #expect(failure?.kind == .timedOut)
        }
    }

    @Test("Cancelling ends the request")
    func cancelling() async throws {
        try await ScriptedUpstream.run { _, connection in
            await connection.waitForHangUp()
        } _: { server in
            let (arrived, arrive) = AsyncStream<Void>.makeStream()
            let caller = OutboundCaller(
                secret: { _ in [] },
                resolver: HostResolver { _ in
                    arrive.yield()
                    return [IPAddress("127.0.0.1")].compactMap(\.self)
                }
            )
            await withThrowingTaskGroup(of: OutboundAnswer.self) { group in
                group.addTask { try await caller.call(self.request(server)) }
                for await _ in arrived { break }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
    }

    @Test("Nothing that is told repeats a secret")
    func secrets() async throws {
        try await ScriptedUpstream.run { request, connection in
            let key = request.headers["authorization"] ?? ""
            try await connection.answer(status: request.path == "/ok" ? 200 : 400, #"{"you sent":"\#(key)"}"#)
        } _: { server in
            let withKey = { @Sendable (request: inout OutboundRequest) in
                request.headers = ["authorization": .secret(SecretReference(fromEnv: "KEY"))]
            }
            let failure = await self.failure(self.caller(), self.request(server, "/no", change: withKey))
            #expect(failure?.message.contains("you sent") == true)
            #expect(failure?.message.contains(Self.secret) == false)
            let answer = try await self.caller().call(self.request(server, "/ok", change: withKey))
            #expect(answer.body == ["you sent": "***"])
        }
    }

    @Test("A secret that is not there is named, and nothing is sent")
    func missingSecret() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer("{}")
        } _: { server in
            let caller = OutboundCaller(
                secret: { _ in throw MartletError("SecretMissing", "the environment variable KEY is not set") },
                resolver: HostResolver { _ in [IPAddress("127.0.0.1")].compactMap(\.self) }
            )
            let failure = await self.failure(
                caller,
                self.request(server) { $0.headers = ["authorization": .secret(SecretReference(fromEnv: "KEY"))] }
            )
            #expect(failure?.kind == .misconfigured && failure?.message.contains("KEY") == true)
            #expect(server.requests.isEmpty)
        }
    }

    @Test(
        "Headers that belong to the connection, or hold line breaks, are refused",
        arguments: [
            ("Host", "a"), ("content-length", "3"), ("Transfer-Encoding", "chunked"), ("a b", "c"), ("x", "a\r\nb: c"),
        ]
    )
    func headers(name: String, value: String) async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer("{}")
        } _: { server in
            let failure = await self.failure(self.caller(), self.request(server) { $0.headers = [name: .text(value)] })
            #expect(failure?.kind == .misconfigured)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("Hosts that the manifest does not declare are not called")
    func undeclared() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer("{}")
        } _: { server in
            for hosts in [[], ["other.example"], ["*.shop.example"], ["example"], ["127.0.0.1"]] {
                let failure = await self.failure(self.caller(), self.request(server) { $0.allowedHosts = hosts })
                #expect(failure?.kind == .refused)
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test("Private addresses are called only where the manifest allows it, and a machine's credentials never")
    func privateAddresses() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer("{}")
        } _: { server in
            let closed = { @Sendable (request: inout OutboundRequest) in request.allowsPrivateAddresses = false }
            for addresses in [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"]] {
                let failure = await self.failure(self.caller { addresses }, self.request(server, change: closed))
                #expect(failure?.kind == .refused)
                #expect(failure?.message.contains("allowPrivate") == true)
            }
            for addresses in [["169.254.169.254"], ["127.0.0.1", "169.254.169.254"], ["0.0.0.0"]] {
                let failure = await self.failure(self.caller { addresses }, self.request(server))
                #expect(failure?.kind == .refused)
            }
            let literal = "http://127.0.0.1:\(server.port)/"
            let failure = await self.failure(
                self.caller(),
                self.request(server) {
                    ($0.url, $0.allowedHosts, $0.allowsPrivateAddresses) = (literal, ["127.0.0.1"], false)
                }
            )
            #expect(failure?.kind == .refused)
            #expect(server.requests.isEmpty)
        }
    }

    @Test("A name that leads elsewhere after it was judged is not followed there")
    func rebinding() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer("{}")
        } _: { server in
            let lookUps = Mutex(0)
            // Whoever looked twice would judge the first answer and connect to the second.
            let caller = self.caller {
                lookUps.withLock { count in
                    count += 1
                    return count % 2 == 1 ? ["127.0.0.1"] : ["127.0.0.2"]
                }
            }
            _ = try await caller.call(self.request(server))
            #expect(lookUps.withLock { $0 } == 1)
            // The name leads to an address that nobody listens on; a client of the first one would still reach it.
            let failure = await self.failure(caller, self.request(server))
            #expect(failure?.kind == .unavailable)
            #expect(server.requests.count == 1)
        }
    }

    @Test("Of several addresses the next one is asked where the first cannot be reached")
    func nextAddress() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer("{}")
        } _: { server in
            let answer = try await self.caller { ["127.0.0.2", "127.0.0.1"] }.call(self.request(server))
            #expect(answer.status == 200)
            #expect(server.requests.count == 1)
        }
    }

    @Test("The machine's own resolver knows localhost")
    func systemResolver() async throws {
        let addresses = try await HostResolver.system.addresses("localhost")
        #expect(!addresses.isEmpty)
        for address in addresses { #expect(AddressRule.verdict(on: address) == .local("this machine")) }
        await #expect(throws: OutboundFailure.self) { try await HostResolver.system.addresses("nothing.invalid") }
    }
}
