import Planning
import Testing

@testable import Serving

/// What an answer costs that nobody reads.
struct SlowCallerTests {
    @Test("An answer of which too much lies unread is ended, and its model let go", arguments: [1, 3, 10])
    func fellBehind(limit: Int) async throws {
        let model = ScriptedCompletion { _, _ in .waits }
        try await EndpointFixture.run(CompletionEngine(model: model), unreadLimit: limit) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "hi")]))
            async let asked = fixture.server.text(fixture.call(request))
            let call = try #require(await model.calls.first { _ in true })
            for number in 0...limit { call.say("\(number) ") }
            await call.waitUntilAbandoned()
            let events = try await asked.events
            var texts: [String] = []
            let error = await #expect(throws: CallError.self) {
                for try await case .text(let text, _) in events { texts.append(text) }
            }
            #expect(texts == (0..<limit).map { "\($0) " })
            #expect(error?.code == .interrupted && error?.message.contains("too slowly") == true)
        }
    }

    @Test("An answer that is as long as may lie unread is whole")
    func keptUp() async throws {
        let model = ScriptedCompletion { _, _ in .says(["a", "b"]) }
        try await EndpointFixture.run(CompletionEngine(model: model), unreadLimit: 3) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            let request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "hi")]))
            let events = try await fixture.server.text(fixture.call(request)).events
            #expect(try await events.reduce(0) { count, _ in count + 1 } == 3)
        }
    }
}
