internal import Planning
internal import Schema

/// Holds an answer against what its request says of its text and calls: a model may be held to it, but is never
/// believed.
struct AnswerCheck: Sendable {
    private let schema: JSONSchema?
    private let tools: ToolUse?
    private var arguments: [String: JSONSchema] = [:]
    private var text = ""
    private var calls: [ToolCall] = []
    private var ending: CompletionEvent?

    /// Nil when there is nothing to check. Throws `unsupportedParameter` for a schema that cannot be checked.
    init?(_ request: TextRequest) throws(CallError) {
        guard request.format != .text || request.tools != nil else { return nil }
        do throws(MartletError) {
            self.schema = try request.format.schema()
        } catch {
            throw CallError(.unsupportedParameter, error.message, parameter: "response_format")
        }
        self.tools = request.tools
        for (index, function) in (request.tools?.functions ?? []).enumerated() {
            do throws(MartletError) {
                self.arguments[function.name] = try function.argumentsSchema()
            } catch {
                let place = "tools[\(index)].function.parameters"
                throw CallError(.unsupportedParameter, "'\(function.name)': \(error.message)", parameter: place)
            }
        }
    }

    /// Takes the next event, and gives it back if it may go on at once; the last one waits for ``conclude()``.
    mutating func receive(_ event: CompletionEvent) -> CompletionEvent? {
        switch event {
        case .text(let text, _): if self.schema != nil { self.text += text }
        case .toolCall(let piece):
            if let opening = piece.opening {
                self.calls.append(ToolCall(id: opening.id, name: opening.name, arguments: piece.arguments))
            } else if self.calls.indices.contains(piece.index) {
                self.calls[piece.index].arguments += piece.arguments
            }
        case .finished:
            self.ending = event
            return nil
        }
        return event
    }

    /// The last event, of an answer that fits or was cut off. Throws `failed`.
    func conclude() throws(CallError) -> CompletionEvent {
        guard case .finished(let reason, _) = self.ending, let ending = self.ending else {
            throw CallError(mapping: MartletError.answerIncomplete)
        }
        switch reason {
        case .length, .contentFilter: return ending
        case .stop, .toolCalls: break
        }
        for call in self.calls { try self.check(call) }
        try self.checkChoice()
        if self.calls.isEmpty, let schema = self.schema {
            if let problem = schema.problem(inText: self.text) {
                throw CallError(.failed, "the model's answer is not what 'response_format' asks for: \(problem)")
            }
        }
        return ending
    }

    private func check(_ call: ToolCall) throws(CallError) {
        guard let schema = self.arguments[call.name] else {
            throw CallError(.failed, "the model called a function '\(call.name)', which it was not offered")
        }
        guard let problem = schema.problem(inText: call.arguments) else { return }
        throw CallError(.failed, "the model called '\(call.name)' with arguments that do not fit: \(problem)")
    }

    private func checkChoice() throws(CallError) {
        guard let tools = self.tools else { return }
        switch tools.choice {
        case .none, .auto: break
        case .required, .function:
            guard !self.calls.isEmpty else { throw CallError(.failed, "the model called no function, and had to") }
        }
        let callable = tools.callable.map(\.name)
        if let stranger = self.calls.first(where: { !callable.contains($0.name) }) {
            throw CallError(.failed, "the model called '\(stranger.name)', which 'tool_choice' leaves out")
        }
        guard tools.allowsSeveral || self.calls.count < 2 else {
            throw CallError(.failed, "the model called several functions where one was allowed")
        }
    }
}

extension JSONSchema {
    /// What is wrong with a JSON text, in words; nil when it fits.
    func problem(inText text: String) -> String? {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            return "it is not JSON: \(error)"
        }
        return self.problems(in: value).first.map { "it does not fit the schema: \($0)" }
    }
}
