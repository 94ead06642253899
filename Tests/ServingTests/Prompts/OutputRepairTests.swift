import Planning
import Schema
import Testing

@testable import Serving

/// What becomes of answers that do not fit their schema.
struct OutputRepairTests {
    private static let schema: JSONValue = [
        "type": "object", "required": ["intent"], "properties": ["intent": ["enum": ["return", "other"]]],
    ]

    private func ask(
        _ onInvalid: JSONValue,
        retries: JSONValue = 1,
        messages: JSONValue = [["role": "user", "content": "{{message}}"]],
        says: [String]
    ) async throws -> (JSONValue, [CompletionRequest]) {
        let template = try Specs.template(
            messages: messages,
            parameters: ["seed": 7],
            output: ["schema": Self.schema, "onInvalid": onInvalid, "retries": retries]
        )
        let step = PromptStep(renderer: try PromptRenderer(template), model: Specs.model, adapters: [])
        let model = ScriptedCompletion { _, number in .says([says[number]]) }
        let answer = try await step.ask(
            ["message": "hi"],
            of: [Specs.model: model],
            spend: { _ in },
            note: { _ in },
            emit: { _ in Issue.record("nothing of an answer that is validated is given away") }
        )
        #expect(answer.request == model.requests.last)
        return (answer.output, model.requests)
    }

    @Test(
        "the JSON in an answer is taken out of it",
        arguments: [
            "```json\n{\"intent\": \"return\"}\n```", "Sure! {\"intent\":\"return\"} Anything else?",
            "[1] is not it, {\"intent\":\"return\"} is", "{\"a\": } {\"intent\":\"return\"}",
            "{\"text\":\"a } in a text\"} {\"intent\":\"return\"}", "{ {\"intent\":\"return\"}",
            "It says \"{\" here: {\"intent\":\"return\"}",
        ]
    )
    func takesOut(text: String) async throws {
        let (output, requests) = try await self.ask("repair", says: [text])
        #expect(output == ["intent": "return"])
        #expect(requests.count == 1)
    }

    @Test("a model is told what was wrong with its answer")
    func tells() async throws {
        let (output, requests) = try await self.ask(
            "repair",
            retries: 2,
            messages: [["role": "user", "content": "{{message}}"], ["role": "assistant", "content": "So: "]],
            says: ["no idea", "{\"intent\": \"buy\"}", "{\"intent\": \"other\"}"]
        )
        #expect(output == ["intent": "other"])
        #expect(requests.map(\.sampling.seed) == [7, 8, 9])
        guard case .chat(let messages)? = requests.last?.prompt else {
            Issue.record("no conversation")
            return
        }
        #expect(messages.map(\.role) == ["user", "assistant", "user"])
        #expect(messages[1].content == "So: {\"intent\": \"buy\"}")
        #expect(messages[2].content.contains("$.intent must be one of \"return\", \"other\""))
    }

    @Test("to ask again asks the same again, and takes nothing out")
    func retries() async throws {
        let (output, requests) = try await self.ask(
            "retry",
            says: ["```{\"intent\":\"return\"}```", "{\"intent\":\"other\"}"]
        )
        #expect(output == ["intent": "other"])
        #expect(requests[0].prompt == requests[1].prompt)
        #expect(requests.map(\.sampling.seed) == [7, 8])
    }

    @Test("what cannot be repaired fails", arguments: ["repair", "retry", "fail"])
    func fails(onInvalid: String) async throws {
        let error = await #expect(throws: CallError.self) {
            try await self.ask(.string(onInvalid), says: ["{\"intent\":\"buy\"}", "{\"intent\":\"buy\"}"])
        }
        #expect(error?.code == .failed)
        #expect(error?.message.hasPrefix("the answer does not fit the schema: $.intent") == true)
    }

    @Test("a text full of brackets is looked through in little time")
    func brackets() {
        #expect(EmbeddedJSON.values(in: String(repeating: "{[", count: 5000)).isEmpty)
    }
}
