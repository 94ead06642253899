internal import Planning
internal import Schema

/// An answer as it is written down, put together from its events.
struct RecordedAnswer: Sendable {
    private var text = ""
    private var calls: [ToolCall] = []
    private var finishReason: FinishReason?
    /// Of an answer that is no text.
    var output: JSONValue?

    /// What was answered, as far as it came; nil for nothing.
    var value: JSONValue? {
        if let output = self.output { return output }
        guard self.finishReason != nil || !self.text.isEmpty || !self.calls.isEmpty else { return nil }
        var members: [String: JSONValue] = ["text": .string(self.text)]
        if !self.calls.isEmpty { members["tool_calls"] = .array(self.calls.map(\.recorded)) }
        members["finish_reason"] = self.finishReason.map { .string($0.rawValue) }
        return .object(members)
    }

    fileprivate mutating func take(_ event: CompletionEvent) {
        switch event {
        case .text(let text, _): self.text += text
        case .toolCall(let piece):
            if let opening = piece.opening {
                self.calls.append(ToolCall(id: opening.id, name: opening.name, arguments: ""))
            }
            if self.calls.indices.contains(piece.index) { self.calls[piece.index].arguments += piece.arguments }
        case .finished(let reason, _): self.finishReason = reason
        }
    }
}

extension CompletionEvent {
    func record(in answer: inout RecordedAnswer) { answer.take(self) }
}

extension ChainEvent {
    func record(in answer: inout RecordedAnswer) {
        switch self {
        case .finished(let output, _): answer.output = output
        case .stepStarted, .stepText, .guardFired, .stepFinished, .stepSkipped, .stepFailed: break
        }
    }
}

extension EmbeddingEvent {
    func record(in answer: inout RecordedAnswer) {
        let shape = [self.vectors.count, self.vectors.first?.count ?? 0]
        answer.output =
            Tensor(name: "embeddings", shape: shape, elements: self.vectors.flatMap(\.self)).recorded
    }
}
