import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// Functions of random parameters: the calls that the grammar derives are read, and fit.
@Suite(.timeLimit(.minutes(60))) struct ToolGrammarFuzzTests {
    @Test(arguments: FuzzInputs.parts(of: 50_000))
    func callsAreReadAsTheyWereWritten(inputs: FuzzInputs) throws {
        try inputs.forEach { random in
            let format = random.pick([ToolFormat.tagged, .bare, .list])
            let functions = ["order", "stock"].map { name in
                ToolFunction(name: name, parameters: Self.parameters(&random))
            }
            let tools = ToolUse(functions, choice: random.pick([.auto, .required, .function("order")]))
            let grammar = try ToolGrammar.grammar(of: tools, in: format, otherwise: nil, isOpened: false)
            let text = GrammarTexts(grammar: grammar).write(using: &random)
            var matcher = GrammarMatcher(grammar)
            let isRead = matcher.matches(text)
            try #require(isRead && matcher.mostWays < 200, "\(matcher.mostWays) for \(text)")
            try Self.read(text.replacing("[TOOL_CALLS]", with: ""), tools, format)
        }
    }

    private static func parameters(_ random: inout SeededRandom) -> JSONValue {
        let names = ["a", "b", "with \"quotes\""].prefix(Int.random(in: 0...3, using: &random))
        let properties = names.map { ($0, RandomSchema(depth: 2, using: &random).json) }
        return [
            "type": "object", "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
            "$defs": ["whole": ["type": "boolean"]],
            "required": .array(names.filter { _ in random.oneIn(2) }.map { .string($0) }),
        ]
    }

    /// Has a whole answer read and checked, and is content with a text where none must call.
    private static func read(_ text: String, _ tools: ToolUse, _ format: ToolFormat) throws {
        let reader = ToolCallReader(format, startsInCalls: false, identifiers: countingIdentifiers())
        let translation = AnswerTranslation(reader)
        var request = TextRequest(prompt: .chat([]))
        request.tools = tools
        var check = try #require(try AnswerCheck(request))
        let events: [CompletionEvent] = [.text(text, logProbabilities: []), .finished(.stop, TokenUsage())]
        for event in events.flatMap(translation.translate) { _ = check.receive(event) }
        try #require(translation.failure == nil, "\(text)")
        do {
            let end = try check.conclude()
            let ends: [CompletionEvent] = [.finished(.toolCalls, TokenUsage()), .finished(.stop, TokenUsage())]
            try #require(ends.prefix(tools.choice == .auto ? 2 : 1).contains(end), "\(text)")
        } catch let error as CallError {
            // A grammar cannot keep the names of a free object apart.
            try #require(error.message.contains("duplicate key"), "\(text): \(error.message)")
        }
    }
}
