import Planning
import Testing

@testable import Serving

/// What an answer costs that nobody reads.
struct SlowCallerTests {
    private static let request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "hi")]))

    @Test("An answer of which too much lies unread is ended, and its model let go", arguments: [1, 300, 5000])
    func fellBehind(length: Int) async throws {
        let model = ScriptedCompletion { _, _ in .waits }
        try await EndpointFixture.run(CompletionEngine(model: model), unreadLimit: 10_000) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            async let asked = fixture.server.text(fixture.call(Self.request))
            let call = try #require(await model.calls.first { _ in true })
            let piece = String(repeating: "x", count: length)
            for _ in 0...(10_000 / length) + 1 { call.say(piece) }
            await call.waitUntilAbandoned()
            let events = try await asked.events
            var bytes = 0
            let error = await #expect(throws: CallError.self) {
                for try await case .text(let text, _) in events { bytes += text.utf8.count + 64 }
            }
            // The last piece passes the limit, and the largest one is beside it.
            #expect(bytes > 10_000 && bytes <= 10_000 + 2 * (length + 64))
            #expect(error?.code == .interrupted && error?.message.contains("too slowly") == true)
        }
    }

    @Test("An answer of which its caller can make nothing is ended at once, and its model let go")
    func madeNothingOf() async throws {
        let model = ScriptedCompletion { _, _ in .waits }
        try await EndpointFixture.run(CompletionEngine(model: model)) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            async let isAbandoned: Void? = {
                let call = await model.calls.first { _ in true }
                call?.say("x")
                return await call?.waitUntilAbandoned()
            }()
            let error = await #expect(throws: CallError.self) {
                try await fixture.server.text(fixture.call(Self.request)) { _ in
                    throw CallError(.failed, "out of order")
                }
            }
            #expect(error?.message == "out of order")
            #expect(await isAbandoned != nil)
        }
    }

    @Test("One piece may be as large as it has to be")
    func onePiece() async throws {
        let text = String(repeating: "x", count: 1 << 16)
        let model = ScriptedCompletion { _, _ in .says([text]) }
        try await EndpointFixture.run(CompletionEngine(model: model), unreadLimit: 64) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            #expect(try await fixture.ask("hi").text == text)
        }
    }

    @Test("What was read makes room")
    func keptUp() {
        let unread = UnreadBytes(limit: 10)
        for _ in 0..<5 { #expect(!unread.add(5, unread: 2)) }
        #expect(!unread.add(100, unread: 2))
        #expect(!unread.add(1, unread: 3))
        #expect(!unread.isOver)
        #expect(unread.add(5, unread: 4))
        #expect(unread.isOver && !unread.add(5, unread: 1))
    }
}
