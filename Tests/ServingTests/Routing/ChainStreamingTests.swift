import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// A support desk's chain: sorts a message, answers it in one of two ways, and gives the reply beside a ticket.
struct ChainStreamingTests {
    static let output: JSONValue = [
        "ticket": "$.steps.ticket.output",
        "reply": ["firstOf": ["$.steps.apology.output", "$.steps.answer.output"]],
    ]
    static let chat: JSONValue = ["output": "$.output.reply"]

    /// `sort` decides which of `apology` and `answer` speaks; `more` steps come behind.
    private func steps(_ more: [JSONValue] = []) -> [JSONValue] {
        let complaint: JSONValue = ["value": "$.steps.sort.output", "in": ["complaint"]]
        return [
            Specs.prompt("sort", "sort"),
            Specs.prompt("apology", "$.input.message", ["when": complaint]),
            Specs.prompt("answer", "$.input.message", ["when": ["not": complaint]]),
            ["name": "ticket", "set": ["intent": "$.steps.sort.output"]],
        ] + more
    }

    private func ask(_ fixture: EndpointFixture) async throws -> TextAnswer {
        let prompt = CompletionRequest.Prompt.chat([ChatMessage(role: "user", content: "Wo bleibt mein Stühlchen?")])
        return try await fixture.server.text(fixture.call(TextRequest(prompt: prompt)))
    }

    @Test(
        "a reply beside a ticket comes token by token, whole, with the tokens of all steps",
        arguments: [true, false]
    )
    func live(isComplaint: Bool) async throws {
        let engine = ScriptedEngine { prompt in
            prompt.lastUserMessage == "sort"
                ? .text(isComplaint ? "complaint" : "question") : .text(prompt.lastUserMessage ?? "")
        }
        try await EndpointFixture.run(engine) { fixture in
            try await fixture.deploy(
                try EndpointFixture.chainGraph(steps: self.steps(), output: Self.output, chat: Self.chat)
            )
            let (pieces, end) = try await self.collect(try await self.ask(fixture))
            #expect(pieces.count > 5)
            #expect(pieces.joined() == "Wo bleibt mein Stühlchen?")
            // A token of this engine is a byte.
            let sorted = isComplaint ? "complaint" : "question"
            let written = sorted.utf8.count + "Wo bleibt mein Stühlchen?".utf8.count
            guard case .finished(.stop, let usage) = end else {
                Issue.record("the last event is \(String(describing: end))")
                return
            }
            #expect(usage.completionTokens == written)
        }
    }

    @Test("the first words come while the step still speaks, the end when every other step has settled")
    func order() async throws {
        try await EndpointFixture.run({ request, _ in
            request.lastMessage == "sort" ? .says(["question"]) : .waits
        }) { fixture, model in
            try await fixture.deploy(
                try EndpointFixture.chainGraph(
                    steps: self.steps([Specs.prompt("note", "note")]),
                    output: ["reply": Self.output["reply"] ?? .null, "note": "$.steps.note.output"],
                    chat: Self.chat
                )
            )
            async let asked = self.ask(fixture)
            let calls = await self.callsByMessage(2, of: model)
            let (answer, note) = (try #require(calls["Wo bleibt mein Stühlchen?"]), try #require(calls["note"]))
            answer.say("Mor")
            var events = try await asked.events.makeAsyncIterator()
            #expect(try await events.next() == .text("Mor", logProbabilities: []))
            answer.say("gen")
            #expect(try await events.next() == .text("gen", logProbabilities: []))
            answer.finish(.length)
            note.say("noted")
            note.finish()
            let usage = ScriptedCompletion.usage + ScriptedCompletion.usage + ScriptedCompletion.usage
            #expect(try await events.next() == .finished(.length, usage))
            #expect(try await events.next() == nil)
        }
    }

    @Test("another step's failure behind the first words ends the stream with its error")
    func failureOfAnother() async throws {
        try await EndpointFixture.run({ request, _ in
            request.lastMessage == "sort" ? .says(["complaint"]) : .waits
        }) { fixture, model in
            try await fixture.deploy(
                try EndpointFixture.chainGraph(
                    steps: self.steps([Specs.prompt("note", "note")]),
                    output: Self.output,
                    chat: Self.chat
                )
            )
            async let asked = self.ask(fixture)
            let calls = await self.callsByMessage(2, of: model)
            let (apology, note) = (try #require(calls["Wo bleibt mein Stühlchen?"]), try #require(calls["note"]))
            apology.say("So")
            var events = try await asked.events.makeAsyncIterator()
            #expect(try await events.next() == .text("So", logProbabilities: []))
            note.fail(CallError(.failed, "no notes today"))
            let error = await #expect(throws: CallError.self) { while try await events.next() != nil {} }
            #expect(error == CallError(.failed, "no notes today"))
            await apology.waitUntilAbandoned()
        }
    }

    private func collect(_ answer: TextAnswer) async throws -> (pieces: [String], end: CompletionEvent?) {
        var (pieces, end) = ([String](), CompletionEvent?.none)
        for try await event in answer.events {
            #expect(end == nil)
            switch event {
            case .text(let piece, _): pieces.append(piece)
            case .toolCall: break
            case .finished: end = event
            }
        }
        return (pieces, end)
    }

    /// The next answers that wait for the test to speak, by what was asked.
    private func callsByMessage(
        _ count: Int,
        of model: ScriptedCompletion
    ) async -> [String: ScriptedCompletion.Call] {
        var calls: [String: ScriptedCompletion.Call] = [:]
        for _ in 0..<count {
            let call = await model.nextCall()
            calls[call.request.lastMessage] = call
        }
        return calls
    }
}
