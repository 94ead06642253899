internal import Planning
internal import Schema
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Engines

/// Servers that misbehave: what callers hear of it, and when somebody is asked again.
@Suite(.timeLimit(.minutes(2)))
struct UpstreamFaultTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        var status: Int
        var body = "{}"
        var kind: UpstreamFailure.Kind
        var says: String
        var retryAfter: Int?

        var testDescription: String { "\(self.status) \(self.body)" }
    }

    static let refusals = [
        Refusal(
            status: 400,
            body: #"{"error":{"message":"no sk-77 model","param":"n"}}"#,
            kind: .rejected,
            says: "no [key]"
        ),
        Refusal(status: 422, body: "nothing", kind: .rejected, says: "the model's server answered 422"),
        Refusal(
            status: 400,
            body: #"{"error":{"message":"127.0.0.1 takes no 'n'"}}"#,
            kind: .rejected,
            says: "[upstream] takes no 'n'"
        ),
        Refusal(
            status: 400,
            body: #"{"error":{"message":"9 tokens, 4 allowed","code":"context_length_exceeded"}}"#,
            kind: .tooLong,
            says: "9 tokens, 4 allowed"
        ),
        Refusal(status: 401, body: #"{"error":{"message":"bad key sk-77"}}"#, kind: .misconfigured, says: "[key]"),
        Refusal(status: 404, kind: .misconfigured, says: "answered 404"),
        Refusal(status: 307, kind: .misconfigured, says: "answered 307"),
        Refusal(status: 429, kind: .rateLimited, says: "answered 429", retryAfter: 0),
        Refusal(
            status: 429,
            body: #"{"error":{"code":"insufficient_quota"}}"#,
            kind: .exhausted,
            says: "answered 429"
        ),
        Refusal(status: 500, body: #"{"error":"broken"}"#, kind: .unavailable, says: "broken", retryAfter: 0),
        Refusal(status: 503, kind: .unavailable, says: "answered 503", retryAfter: 0),
        Refusal(status: 204, kind: .unavailable, says: "answered 204"),
    ]

    @Test("An error answer is told for what it is, without the key", arguments: refusals)
    func refuses(_ refusal: Refusal) async throws {
        try await ScriptedUpstream.run { _, connection in
            let headers = ["location": "http://127.0.0.1:9/", "retry-after": "0"]
            try await connection.answer(
                status: refusal.status,
                headers: headers,
                refusal.status == 204 ? "" : refusal.body
            )
        } _: { server in
            let model = try Upstreams.model([server.url], key: "sk-77")
            let answer = await Upstreams.events(model, Upstreams.wholeHello)
            let failure = try #require(answer.failure)
            #expect(failure.kind == refusal.kind)
            #expect(failure.message.contains(refusal.says), "\(failure)")
            #expect(!failure.message.contains("sk-77"))
            #expect(failure.retryAfter == refusal.retryAfter)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "A time to come back at counts from the server's own clock",
        arguments: [
            ("Sun, 06 Nov 1994 08:50:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 30),
            ("Sun, 06 Nov 1994 08:49:07 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 0),
            ("Sun, 06 Nov 1994 08:50:07 GMT", "soon", nil), ("soon", "Sun, 06 Nov 1994 08:49:37 GMT", nil),
            ("-5", "Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ] as [(String, String, Int?)]
    )
    func retryAfter(_ later: String, _ now: String, _ seconds: Int?) async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(status: 429, headers: ["retry-after": later, "date": now], "{}")
        } _: { server in
            let answer = await Upstreams.events(try Upstreams.model([server.url], retries: 0), Upstreams.wholeHello)
            #expect(answer.failure?.retryAfter == seconds)
        }
    }

    static let nonsense: [(type: String, body: String, says: String)] = [
        ("text/html", "<html>", "sent 'text/html'"),
        ("application/json", "{\"choices\":", "no JSON"),
        ("application/json", "[]", "without choices"),
        ("application/json", "{\"choices\":[{\"message\":{\"content\":7}}]}", "'content' that is no text"),
        ("application/json", "{\"choices\":[{\"message\":{\"content\":\"a\"}}]}", "broke its answer off"),
        ("application/json", "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"tired\"}]}", "unknown reason, 'tired'"),
        ("application/json", "{\"choices\":[{\"index\":1}]}", "more than one choice"),
        ("application/json", "{\"error\":{\"message\":\"out of luck\"}}", "out of luck"),
        ("text/event-stream", "data: {\"error\":{\"message\":\"no luck\"}}\n\n", "no luck"),
        ("text/event-stream", "data: nonsense\n\n", "no JSON"),
        ("text/event-stream", ": only comments\n\n", "broke its answer off"),
    ]

    @Test("What is no answer is the server's fault", arguments: nonsense.indices)
    func rejectsNonsense(_ index: Int) async throws {
        let (type, body, says) = Self.nonsense[index]
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(type: type, body)
        } _: { server in
            let answer = await Upstreams.events(try Upstreams.model([server.url]), Upstreams.wholeHello)
            #expect(answer.failure?.kind == .unavailable)
            #expect(answer.failure?.message.contains(says) == true, "\(String(describing: answer.failure))")
        }
    }

    @Test func refusesAnEventWithoutEnd() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.beginEvents()
            try await connection.send("data: ")
            let piece = String(repeating: "a", count: 1 << 20)
            for _ in 0..<6 { try await connection.send(piece) }
            await connection.waitForHangUp()
        } _: { server in
            let answer = await Upstreams.events(try Upstreams.model([server.url]), Upstreams.hello)
            #expect(answer.failure?.message.contains("an event that is too long") == true)
        }
    }

    @Test func triesAgainBeforeTheFirstByte() async throws {
        let turns = Mutex(0)
        try await ScriptedUpstream.run { _, connection in
            switch turns.withLock({
                $0 += 1; return $0
            }) {
            case 1: try await connection.answer(status: 503, "{}")
            case 2: try await connection.reset()
            default: try await connection.answer(Upstreams.wholeAnswer)
            }
        } _: { server in
            let model = try Upstreams.model([server.url], retries: 2)
            let answer = await Upstreams.events(model, Upstreams.wholeHello)
            #expect(answer.events.count == 2)
            #expect(server.requests.count == 3)
            let seen = try #require(model.upstreams.first)
            #expect((seen.requests, seen.retries, seen.inFlight) == (3, 2, 0))
            #expect(seen.failures == [.unavailable: 2])
        }
    }

    @Test func neverTriesAgainAfterTheFirstByte() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.beginEvents()
            try await connection.event(#"{"choices":[{"delta":{"content":"Good"}}]}"#)
            try await connection.reset()
        } _: { server in
            let model = try Upstreams.model([server.url, server.url], retries: 2)
            let answer = await Upstreams.events(model, Upstreams.hello)
            #expect(answer.events.first == .text("Good", logProbabilities: []))
            #expect(answer.failure?.kind == .unavailable)
            #expect(server.requests.count == 1)
        }
    }

    @Test func fallsBackOnTheNextOne() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(Upstreams.wholeAnswer)
        } _: { server in
            // Nobody listens on the port that a closed server had.
            let gone = try await ScriptedUpstream.run({ _, _ in }) { $0.url }
            let model = try Upstreams.model([gone, server.url])
            let answer = await Upstreams.events(model, Upstreams.wholeHello)
            #expect(answer.events.count == 2)
            #expect(model.upstreams.map(\.requests) == [1, 1])
            #expect(model.upstreams[0].lastFailure?.contains("cannot be reached") == true)
        }
    }

    @Test func leavesAServerAloneThatAsksForAPause() async throws {
        try await ScriptedUpstream.run { request, connection in
            guard request.json["seed"] == 1 else { return try await connection.answer(Upstreams.wholeAnswer) }
            try await connection.answer(status: 429, headers: ["retry-after": "60"], "{}")
        } _: { busy in
            try await ScriptedUpstream.run { _, connection in
                try await connection.answer(Upstreams.wholeAnswer)
            } _: { server in
                let model = try Upstreams.model([busy.url, server.url])
                var request = Upstreams.wholeHello
                request.sampling.seed = 1
                for _ in 0..<3 { #expect(await Upstreams.events(model, request).events.count == 2) }
                #expect(model.upstreams.map(\.requests) == [1, 3])
                #expect(model.upstreams[0].isCoolingDown)
            }
        }
    }

    @Test func tellsWhenAServerCoolsDownAndAnswersAgain() async throws {
        let isBusy = Mutex(true)
        try await ScriptedUpstream.run { _, connection in
            if isBusy.withLock({ $0 }) {
                try await connection.answer(status: 429, headers: ["retry-after": "60"], "{}")
            } else {
                try await connection.answer(Upstreams.wholeAnswer)
            }
        } _: { server in
            let model = try Upstreams.model([server.url], timeout: .seconds(100))
            let (changes, change) = AsyncStream<Bool>.makeStream()
            async let watch: Void = model.watchUpstreams { change.yield(model.upstreams[0].isCoolingDown) }
            // Its probe is refused, too.
            #expect(await changes.first { _ in true } == true)
            // The only one is asked all the same.
            for busy in [true, true, false, false] {
                isBusy.withLock { $0 = busy }
                _ = await Upstreams.events(model, Upstreams.wholeHello)
            }
            change.finish()
            #expect(await changes.reduce(into: []) { $0.append($1) } == [false])
            await model.close()
            await watch
        }
    }

    @Test func doesNotFallBackOnACallersFault() async throws {
        try await ScriptedUpstream.run { _, connection in
            try await connection.answer(status: 400, #"{"error":{"message":"no"}}"#)
        } _: { server in
            let model = try Upstreams.model([server.url, server.url], retries: 2)
            let answer = await Upstreams.events(model, Upstreams.wholeHello)
            #expect(answer.failure?.kind == .rejected)
            #expect(server.requests.count == 1)
            #expect(model.upstreams.map(\.failures) == [[:], [:]])
        }
    }

    @Test func givesUpOnAServerThatStalls() async throws {
        try await ScriptedUpstream.run { _, connection in
            await connection.waitForHangUp()
        } _: { server in
            let model = try Upstreams.model([server.url], timeout: ManifestDuration(milliseconds: 50))
            let answer = await Upstreams.events(model, Upstreams.hello)
            #expect(answer.failure?.kind == .timedOut)
            #expect(answer.failure?.message.contains("within 50ms") == true)
        }
    }

    /// A stream that is there in time, however long it takes then, outlives one that comes later and stalls.
    @Test func fallsBackWhenAStreamDoesNotBegin() async throws {
        let (goesOn, goOn) = AsyncStream<Void>.makeStream()
        try await ScriptedUpstream.run { request, connection in
            try await connection.beginEvents()
            guard request.json["seed"] == nil else { return await connection.waitForHangUp() }
            try await connection.event(#"{"choices":[{"delta":{"content":"Good"}}]}"#)
            for await _ in goesOn {}
            try await connection.event(#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#)
            try await connection.close()
        } _: { slow in
            try await ScriptedUpstream.run { _, connection in
                try await connection.answer(Upstreams.wholeAnswer)
            } _: { other in
                let limit = ManifestDuration.seconds(20)
                let model = try Upstreams.model([slow.url, other.url], timeout: .seconds(300), firstByteTimeout: limit)
                var stream = try await model.complete(Upstreams.hello).makeAsyncIterator()
                #expect(try await stream.next() == .text("Good", logProbabilities: []))
                var stalling = Upstreams.hello
                stalling.sampling.seed = 1
                #expect(await Upstreams.events(model, stalling).events.count == 2)
                #expect(model.upstreams.map(\.failures) == [[.timedOut: 1], [:]])
                #expect(model.upstreams[0].lastFailure?.contains("did not begin its answer within 20s") == true)
                goOn.finish()
                #expect(try await stream.next() == .finished(.stop, TokenUsage()))
            }
        }
    }

    @Test func aWholeAnswerMayBeginLate() async throws {
        let (goesOn, goOn) = AsyncStream<Void>.makeStream()
        try await ScriptedUpstream.run { request, connection in
            if request.json["stream"] == true { return await connection.waitForHangUp() }
            for await _ in goesOn {}
            try await connection.answer(Upstreams.wholeAnswer)
        } _: { server in
            let model = try Upstreams.model([server.url], firstByteTimeout: ManifestDuration(milliseconds: 20))
            async let whole = Upstreams.events(model, Upstreams.wholeHello)
            while server.requests.isEmpty { await Task.yield() }
            // A stream that began later is over by now.
            #expect(await Upstreams.events(model, Upstreams.hello).failure?.kind == .timedOut)
            goOn.finish()
            #expect(await whole.events.count == 2)
        }
    }

    @Test func tearsTheRequestDownWhenTheCallerLeaves() async throws {
        let (hangUps, hangUp) = AsyncStream<Void>.makeStream()
        try await ScriptedUpstream.run { _, connection in
            try await connection.beginEvents()
            try await connection.event(#"{"choices":[{"delta":{"content":"Good"}}]}"#)
            await connection.waitForHangUp()
            hangUp.yield()
        } _: { server in
            let model = try Upstreams.model([server.url])
            for try await event in try await model.complete(Upstreams.hello) {
                #expect(event == .text("Good", logProbabilities: []))
                break
            }
            // Returns only once the server has seen it.
            for await _ in hangUps { break }
        }
    }
}
