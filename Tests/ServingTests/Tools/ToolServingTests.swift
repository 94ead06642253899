import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// Tools and formats through a whole server, with the scripted engine as the model.
struct ToolServingTests {
    private static let tools = ToolUse(
        [ToolFunction(name: "order", parameters: ["type": "object", "properties": ["id": ["type": "integer"]]])],
        choice: .required
    )
    private static let schema = OutputFormat.NamedSchema(name: "a", schema: ["type": "integer"])

    private static func ask(
        _ fixture: EndpointFixture,
        _ change: (inout TextRequest) -> Void
    ) async throws -> [CompletionEvent] {
        var request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "Where is order 7?")]))
        change(&request)
        let answer = try await fixture.server.text(
            EndpointCall(endpoint: EndpointFixture.name, caller: .anonymous, requestID: "r", body: request)
        )
        return try await answer.events.reduce(into: []) { $0.append($1) }
    }

    private static func run(
        _ answer: String,
        _ test: @escaping @Sendable (EndpointFixture, ScriptedControl) async throws -> Void
    ) async throws {
        let engine = ScriptedEngine(contextLength: 4096) { _ in .text(answer) }
        try await EndpointFixture.run(engine) { fixture in
            try await fixture.deploy(try EndpointFixture.modelGraph())
            try await test(fixture, engine.control)
        }
    }

    @Test("A call is streamed as one, and the engine gets a grammar for it")
    func call() async throws {
        try await Self.run(#"<tool_call>{"name": "order", "arguments": {"id": 7}}</tool_call>"#) { fixture, control in
            let events = try await Self.ask(fixture) { $0.tools = Self.tools }
            var calls: [ToolCallPiece] = []
            for case .toolCall(let piece) in events { calls.append(piece) }
            #expect(calls.map(\.arguments).joined() == #"{"id": 7}"#)
            #expect(calls.count > 3)
            #expect(calls.first?.opening?.name == "order")
            guard case .finished(.toolCalls, _)? = events.last else {
                Issue.record("the answer ends with \(String(describing: events.last))")
                return
            }
            #expect(control.log.samplers.last?.grammar?.contains("<tool_call>") == true)
        }
    }

    @Test(
        "Calls that do not fit fail",
        arguments: [
            #"<tool_call>{"name": "order", "arguments": {"id": "x"}}</tool_call>"#,
            #"<tool_call>{"name": "other", "arguments": {}}</tool_call>"#, "I will not call.",
            #"<tool_call>{"name": "order""#,
        ]
    )
    func wrongCall(answer: String) async throws {
        try await Self.run(answer) { fixture, _ in
            let error = await #expect(throws: CallError.self) { try await Self.ask(fixture) { $0.tools = Self.tools } }
            #expect(error?.code == .failed)
        }
    }

    @Test(
        "An answer with a schema is checked, unless it was cut off",
        arguments: [("12", nil, true), ("twelve", nil, false), ("", nil, false), ("\"twel", 3, true)]
            as [(String, Int?, Bool)]
    )
    func format(answer: String, limit: Int?, isFine: Bool) async throws {
        try await Self.run(answer) { fixture, control in
            let ask = {
                try await Self.ask(fixture) {
                    $0.format = .jsonSchema(Self.schema)
                    $0.maxTokens = limit
                }
            }
            if isFine {
                let events = try await ask()
                guard case .finished(let reason, _)? = events.last else { return }
                #expect(reason == (limit == nil ? .stop : .length))
            } else {
                let error = await #expect(throws: CallError.self) { try await ask() }
                #expect(error?.message.contains("response_format") == true)
            }
            #expect(control.log.samplers.last?.grammar?.contains("root ::= ") == true)
        }
    }

    @Test("What cannot be promised or checked is refused by name")
    func refused() async throws {
        try await Self.run("1") { fixture, control in
            let strict = OutputFormat.NamedSchema(name: "a", schema: ["not": ["type": "null"]], isStrict: true)
            let unknown = OutputFormat.NamedSchema(name: "a", schema: ["if": true])
            for (schema, word) in [(strict, "'not'"), (unknown, "'if'")] {
                let error = await #expect(throws: CallError.self) {
                    try await Self.ask(fixture) { $0.format = .jsonSchema(schema) }
                }
                #expect(error?.code == .unsupportedParameter)
                #expect(error?.parameter == "response_format")
                #expect(error?.message.contains(word) == true)
            }
            #expect(control.log.samplers.isEmpty)
        }
    }

    @Test(
        "The model sees functions, calls and results in its own format",
        arguments: [
            (
                "chatml",
                [
                    "system\n# Tools", "<tools>\n{\"function\":", "assistant\n<tool_call>\n{\"name\": \"order\"",
                    "tool\n<tool_response>\nsoon\n</tool_response>",
                ]
            ),
            ("qwen", ["user\n<tool_response>\nsoon\n</tool_response>"]),
            ("llama3", ["{\"name\": \"order\", \"parameters\": {\"id\": 7}}", "ipython<|end_header_id|>\n\nsoon"]),
            (
                "mistral-v3",
                [
                    "[AVAILABLE_TOOLS] [{\"function\":", "[/AVAILABLE_TOOLS][INST] Where?",
                    "[TOOL_CALLS] [{\"name\": \"order\", \"arguments\": {\"id\": 7}, \"id\": \"c1\"}]</s>",
                    "[TOOL_RESULTS] {\"content\": \"soon\", \"call_id\": \"c1\"}[/TOOL_RESULTS]",
                ]
            ),
        ]
    )
    func prompt(template: String, parts: [String]) throws {
        let template = try ChatTemplate(named: template)
        let call = ToolCall(id: "c1", name: "order", arguments: "{\"id\": 7}")
        let request = CompletionRequest(
            prompt: .chat([
                ChatMessage(role: "user", content: "Where?"),
                ChatMessage(role: "assistant", content: "", toolCalls: [call]),
                ChatMessage(role: "tool", content: "soon", toolCallID: "c1"),
            ]),
            tools: ToolUse(Self.tools.functions)
        )
        let plan = try AnswerPlan(request, template: template, identifiers: countingIdentifiers())
        guard case .chat(let messages) = plan.prompt else { return }
        let text = try template.render(messages).map(\.text).joined()
        for part in parts { #expect(text.contains(part), "\(text)") }
    }

    @Test("A template without known calls refuses tools by name")
    func unknownFormat() throws {
        let request = CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: "Hi")]), tools: Self.tools)
        let error = #expect(throws: MartletError.self) {
            try AnswerPlan(request, template: .gemma, identifiers: countingIdentifiers())
        }
        #expect(error?.code == "UnsupportedParameter")
        #expect(error?.message.contains("'gemma'") == true)
    }
}
