internal import Engines
internal import Foundation
internal import Planning
internal import Schema
internal import Testing

/// Recordings answer what they hold and nothing else.
struct ReplayEngineTests {
    static let recording = """
        {"input": {"messages": [{"role": "user", "content": "Hello"}]}, "output": "Good  morning, dear\\nfriend."}

        {"input": {"prompt": "Once upon"}, "output": " a time."}
        """

    static func open(_ text: String, options: [String: JSONValue] = [:]) throws -> any CompletionModel {
        let file = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString).jsonl")
        try Data(text.utf8).write(to: file)
        guard
            case .completion(let model) = try ReplayEngine().open(
                ModelOpening(file: file.path(), options: options)
            )
        else { throw MartletError("WrongKind", "a recording is a completion model") }
        return model
    }

    static func pieces(
        _ model: any CompletionModel,
        _ request: CompletionRequest
    ) async throws -> (texts: [String], reason: FinishReason?, usage: TokenUsage?) {
        var texts: [String] = []
        for try await event in try await model.complete(request) {
            switch event {
            case .text(let text, _): texts.append(text)
            case .toolCall: break
            case .finished(let reason, let usage): return (texts, reason, usage)
            }
        }
        return (texts, nil, nil)
    }

    static let hello = CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: "Hello")]))

    @Test func answersWordByWord() async throws {
        let (texts, reason, usage) = try await Self.pieces(Self.open(Self.recording), Self.hello)
        #expect(texts == ["Good", "  morning,", " dear", "\nfriend."])
        #expect(reason == .stop)
        #expect(usage == TokenUsage(promptTokens: 1, completionTokens: 4))
    }

    @Test func answersPrompts() async throws {
        let (texts, _, usage) = try await Self.pieces(
            Self.open(Self.recording),
            CompletionRequest(prompt: .text("Once upon"))
        )
        #expect(texts.joined() == " a time.")
        #expect(usage == TokenUsage(promptTokens: 2, completionTokens: 2))
    }

    @Test(
        arguments: [
            (2, [], "Good  morning,", FinishReason.length),
            (4, [], "Good  morning, dear\nfriend.", .stop),
            (nil, ["dear"], "Good  morning, ", .stop),
            (nil, ["\n", "morning"], "Good  ", .stop),
            (0, [], "", .length),
        ] as [(Int?, [String], String, FinishReason)]
    )
    func limitsAndStopsAreHeeded(
        _ maxTokens: Int?,
        _ stop: [String],
        _ expected: String,
        _ reason: FinishReason
    ) async throws {
        var request = Self.hello
        request.maxTokens = maxTokens
        request.stop = stop
        let result = try await Self.pieces(Self.open(Self.recording), request)
        #expect(result.texts.joined() == expected)
        #expect(result.reason == reason)
    }

    @Test func unknownInputIsAnError() async throws {
        let model = try Self.open(Self.recording)
        let request = CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: "Who are you?")]))
        let error = await #expect(throws: MartletError.self) { _ = try await model.complete(request) }
        #expect(error?.code == "NoRecordedAnswer")
        #expect(error?.message.contains("user: Who are you?") == true)
    }

    @Test(arguments: [
        ("an order A-1", "first"), ("A-1 again", "A-1"), ("order", "default"), ("order B and an A-1", "first"),
        ("exactly A-1", "whole"),
    ])
    func textsOfTheLastMessageAreLookedFor(message: String, answer: String) async throws {
        let model = try Self.open(
            #"""
            {"input": {"contains": ["order", "A-1"]}, "output": "first"}
            {"input": {"contains": "A-1"}, "output": "A-1"}
            {"input": {"messages": [{"role": "user", "content": "exactly A-1"}]}, "output": "whole"}
            {"default": true, "output": "default"}
            """#
        )
        // What was said before does not count, but for a line that has all of the conversation.
        let earlier = message == "exactly A-1" ? [] : [ChatMessage(role: "assistant", content: "order A-1")]
        let messages = earlier + [ChatMessage(role: "user", content: message)]
        var text = ""
        for try await event in try await model.complete(CompletionRequest(prompt: .chat(messages))) {
            if case .text(let piece, _) = event { text += piece }
        }
        #expect(text == answer)
    }

    @Test func defaultAnswersEverythingElse() async throws {
        let model = try Self.open(Self.recording + "\n{\"default\": true, \"output\": \"No idea.\"}")
        let other = CompletionRequest(prompt: .text("Whatever"))
        #expect(try await Self.pieces(model, other).texts.joined() == "No idea.")
        #expect(try await Self.pieces(model, Self.hello).texts.joined().hasPrefix("Good"))
    }

    @Test(arguments: [
        ("", "has no answers"),
        ("not json", "line 1: not a JSON object with 'input' and 'output' (not valid JSON)"),
        (#"{"input": {"prompt": "a"}}"#, "line 1: not a JSON object with 'input' and 'output' ('output' is missing)"),
        (
            "\n{\"input\": {}, \"output\": \"a\"}",
            "line 2: 'input' must have one of 'messages', 'prompt' and 'contains'"
        ),
        (#"{"input": {"contains": []}, "output": "a"}"#, "line 1: 'contains' must name a text"),
        (
            #"{"input": {"contains": "a", "prompt": "b"}, "output": "a"}"#,
            "line 1: 'input' must have one of 'messages', 'prompt' and 'contains'"
        ),
        (#"{"output": "a"}"#, "line 1: 'input' must have one of 'messages', 'prompt' and 'contains'"),
        (#"{"input": {"prompt": 3}, "output": "a"}"#, "'input.prompt' has the wrong type"),
        (
            #"{"input": {"prompt": "a"}, "output": "b"}"# + "\n" + #"{"input": {"prompt": "a"}, "output": "c"}"#,
            "line 2: the same input was answered on an earlier line"
        ),
        (
            #"{"default": true, "output": "b"}"# + "\n" + #"{"default": true, "output": "c"}"#,
            "line 2: there is a second default answer"
        ),
    ])
    func badRecordingIsAnError(_ text: String, _ reason: String) {
        let message = expectError("ModelUnreadable") { _ = try Self.open(text) }
        #expect(message.contains(reason))
    }

    @Test func missingFileIsAnError() {
        expectError("ModelUnreadable") { _ = try ReplayEngine().open(ModelOpening(file: "/no/such.jsonl")) }
    }

    @Test(arguments: [
        ("contextLength", JSONValue.integer(0), "'contextLength' must be an integer from 1 to 1000000"),
        ("slots", .integer(1), "the replay engine has no option 'slots'; it knows contextLength"),
    ])
    func optionsAreChecked(_ name: String, _ value: JSONValue, _ message: String) {
        #expect(
            ReplayEngine().problems(inOptions: [name: value]) == [OptionProblem(option: name, message: message)]
        )
        expectError("InvalidOption") { _ = try Self.open(Self.recording, options: [name: value]) }
    }

    @Test func longPromptIsAnError() async throws {
        let model = try Self.open(Self.recording, options: ["contextLength": 1])
        let error = await #expect(throws: MartletError.self) {
            _ = try await model.complete(CompletionRequest(prompt: .text("Once upon")))
        }
        #expect(error?.code == "PromptTooLong")
    }

    @Test func closingEndsAnswersUnderWay() async throws {
        let model = try Self.open(Self.recording)
        var iterator = try await model.complete(Self.hello).makeAsyncIterator()
        #expect(try await iterator.next() == .text("Good", logProbabilities: []))
        await model.close()
        let aborted = await #expect(throws: MartletError.self) { _ = try await iterator.next() }
        #expect(aborted?.code == "Aborted")
        let closed = await #expect(throws: MartletError.self) { _ = try await model.complete(Self.hello) }
        #expect(closed?.code == "ModelClosed")
    }
}
