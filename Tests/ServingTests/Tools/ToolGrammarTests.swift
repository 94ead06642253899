import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

struct ToolGrammarTests {
    private static let order = ToolFunction(
        name: "order",
        parameters: ["type": "object", "required": ["id"], "properties": ["id": ["type": "integer"]]]
    )
    private static let stock = ToolFunction(name: "stock", parameters: ["properties": ["name": ["type": "string"]]])
    private static let one = #"{"name": "order", "arguments": {"id": 7}}"#
    private static let tagged = "<tool_call>\n\(one)\n</tool_call>"

    struct Case: Sendable {
        var format = ToolFormat.tagged
        var choice = ToolChoice.auto
        var severally = true
        var answer: JSONValue?
        var right: [String]
        var wrong: [String]
    }

    @Test(
        "Answers are text or calls, as the choice says",
        arguments: [
            Case(
                right: ["", "Hello <b> <tool_cal", "<<tool", tagged, "Sure. \(tagged)\n\(tagged)"],
                wrong: [
                    "<tool_call>", "Hi <tool_call>x", "\(tagged) and more", #"<tool_call>{"name": "x"}</tool_call>"#,
                ]
            ),
            Case(choice: .required, right: [tagged], wrong: ["", "Hello", "Sure. \(tagged)"]),
            Case(
                choice: .function("stock"),
                right: ["<tool_call>\n{\"name\": \"stock\", \"arguments\": {\"name\": \"sofa\"}}\n</tool_call>"],
                wrong: [tagged, "<tool_call>\n{\"name\": \"stock\", \"arguments\": []}\n</tool_call>"]
            ),
            Case(severally: false, right: [tagged], wrong: ["\(tagged)\n\(tagged)"]),
            Case(answer: ["const": 5], right: ["5", tagged], wrong: ["Hello", "5\(tagged)"]),
            Case(
                format: .bare,
                right: [#"{"name": "order", "parameters": {"id": 7}}"#, "Hi {x}", ""],
                wrong: ["{", one, #"{"name": "order", "parameters": {}}"#]
            ),
            Case(format: .list, right: ["[\(one)]", "[TOOL_CALLS] [\(one), \(one)]", "Hi [x]"], wrong: ["[", "[]"]),
        ]
    )
    func choices(row: Case) throws {
        let tools = ToolUse([Self.order, Self.stock], choice: row.choice, allowsSeveral: row.severally)
        let grammar = try ToolGrammar.grammar(
            of: tools,
            in: row.format,
            otherwise: try row.answer.map { try JSONSchema($0) },
            isOpened: false
        )
        let texts = GrammarTexts(grammar: grammar)
        for text in row.right { #expect(texts.derives(text), "\(text)") }
        for text in row.wrong { #expect(!texts.derives(text), "\(text)") }
    }

    @Test("What the grammar derives, the reader reads and the check accepts", arguments: 1...Campaign.rounds(60))
    func roundTrip(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let format = random.pick([ToolFormat.tagged, .bare, .list])
        let tools = ToolUse([Self.order, Self.stock], choice: random.pick([.required, .function("order")]))
        let grammar = try ToolGrammar.grammar(of: tools, in: format, otherwise: nil, isOpened: false)
        let text = GrammarTexts(grammar: grammar).write(using: &random).replacing("[TOOL_CALLS]", with: "")
        let translation = AnswerTranslation(
            ToolCallReader(format, startsInCalls: false, identifiers: countingIdentifiers())
        )
        var request = TextRequest(prompt: .chat([]))
        request.tools = tools
        var check = try #require(try AnswerCheck(request))
        let events: [CompletionEvent] = [.text(text, logProbabilities: []), .finished(.stop, TokenUsage())]
        for event in events.flatMap(translation.translate) { _ = check.receive(event) }
        #expect(translation.failure == nil, "\(text)")
        #expect(try check.conclude() == .finished(.toolCalls, TokenUsage()), "\(text)")
    }

    @Test(
        "Where a schema is asked for, too, the answer is a call or fits the schema",
        arguments: 1...Campaign.rounds(60)
    )
    func structured(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let template = random.pick([ChatTemplate.chatML, .llama3, .mistralV3])
        let answer: JSONValue = random.pick([
            ["type": "object", "required": ["name"], "properties": ["name": ["enum": ["sofa", "orde"]]]],
            ["type": "array", "items": ["type": "object", "properties": ["name": ["type": "boolean"]]]],
            ["type": "string", "maxLength": 9],
        ])
        var request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "?")]))
        request.tools = ToolUse([Self.order, Self.stock])
        request.format = .jsonSchema(OutputFormat.NamedSchema(name: "a", schema: answer))
        var completion = CompletionRequest(prompt: request.prompt, tools: request.tools)
        completion.format = request.format
        let plan = try AnswerPlan(completion, template: template, identifiers: countingIdentifiers())
        let grammar = try ToolGrammar.grammar(
            of: ToolUse([Self.order, Self.stock]),
            in: try #require(template.toolFormat),
            otherwise: try JSONSchema(answer),
            isOpened: false
        )
        #expect(plan.grammar == grammar.gbnf)
        let text = GrammarTexts(grammar: grammar).write(using: &random)
        let translation = AnswerTranslation(try #require(plan.reader))
        var check = try #require(try AnswerCheck(request))
        var (said, called) = ("", false)
        for event in [.text(text, logProbabilities: []), .finished(.stop, TokenUsage())].flatMap(translation.translate)
        {
            switch check.receive(event) {
            case .text(let piece, _): said += piece
            case .toolCall: called = true
            case .finished, nil: break
            }
        }
        #expect(translation.failure == nil, "\(text)")
        guard case .finished(let reason, _) = try check.conclude() else { return }
        #expect(reason == (called ? .toolCalls : .stop), "\(text)")
        #expect(called ? said.isEmpty : said == text, "\(text)")
        #expect(called == text.contains("\"arguments\"") || called == text.contains("\"parameters\""), "\(text)")
    }

    @Test("A strict function whose schema no grammar keeps is refused by name")
    func strict() throws {
        var function = Self.order
        function.parameters = ["type": "object", "properties": ["a": ["type": "string", "pattern": "x"]]]
        function.isStrict = true
        let error = #expect(throws: MartletError.self) {
            try ToolGrammar.grammar(of: ToolUse([function]), in: .tagged, otherwise: nil, isOpened: false)
        }
        #expect(error?.code == "UnsupportedParameter")
        #expect(error?.message.contains("'pattern'") == true)
    }
}
