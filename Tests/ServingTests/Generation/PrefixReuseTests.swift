import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// What requests of one template have in common is evaluated once, counted by the tokens that the engine is given.
struct PrefixReuseTests {
    private static let system = ChatMessage(
        role: "system",
        content: "Sort the customer's message by what the customer wants. Answer with one word, and nothing else."
    )

    private static func ask(_ fixture: ServerFixture, _ text: String) async throws -> Answer {
        try await fixture.chat(text) {
            $0.prompt = .chat([Self.system, ChatMessage(role: "user", content: text)])
            // What is sampled last is never given to the engine: only tokens of prompts are.
            $0.maxTokens = 1
        }
    }

    /// Tokens of the prompt as far as the two messages begin alike, the start of the user's turn included.
    private static let common = "?system\n\(system.content)?\n?user\n".utf8.count

    @Test("A request is evaluated from where it differs from an earlier one, and its usage says so")
    func afterAnother() async throws {
        let fixture = try ServerFixture(ScriptedEngine())
        let first = try await Self.ask(fixture, "Where is my parcel?")
        #expect(fixture.control.log.tokensDecoded == first.usage?.promptTokens)
        #expect(first.usage?.cachedTokens == 0)
        let second = try await Self.ask(fixture, "I want my money back.")
        let whole = try #require(second.usage?.promptTokens)
        #expect(whole > Self.common)
        #expect(fixture.control.log.tokensDecoded - (first.usage?.promptTokens ?? 0) == whole - Self.common)
        #expect(second.usage?.cachedTokens == Self.common)
        await fixture.server.close()
    }

    @Test("So is one in another slot, while the earlier one is being answered or after it", arguments: [true, false])
    func inAnotherSlot(isBusy: Bool) async throws {
        // The first answer is long, so that its slot holds far more than the template.
        let engine = ScriptedEngine { prompt in
            prompt.lastUserMessage == "Talk." ? .text(String(repeating: "so ", count: 120)) : .text("ok")
        }
        let fixture = try ServerFixture(engine)
        let started = try await fixture.server.complete(
            CompletionRequest(
                prompt: .chat([Self.system, ChatMessage(role: "user", content: "Talk.")]),
                maxTokens: isBusy ? nil : 200
            )
        )
        var events = started.makeAsyncIterator()
        if isBusy {
            _ = try await events.next()
        } else {
            while try await events.next() != nil {}
        }
        let answer = try await Self.ask(fixture, "Where is my parcel?")
        let batches = fixture.control.log.batches.joined()
        let talking = try #require(batches.first?.sequence)
        let asked = batches.filter { $0.sequence != talking }
        #expect(asked.count == (answer.usage?.promptTokens ?? 0) - Self.common)
        #expect(asked.map(\.position).min() == Int32(Self.common))
        #expect(answer.usage?.cachedTokens == Self.common)
        await fixture.server.close()
    }

    @Test("Another template has nothing of it")
    func anotherTemplate() async throws {
        let fixture = try ServerFixture(ScriptedEngine())
        _ = try await Self.ask(fixture, "Where is my parcel?")
        let before = fixture.control.log.tokensDecoded
        let other = try await fixture.chat("Where is my parcel?") { $0.maxTokens = 1 }
        #expect(fixture.control.log.tokensDecoded - before == other.usage?.promptTokens)
        #expect(other.usage?.cachedTokens == 0)
        await fixture.server.close()
    }
}
