internal import NIOCore
internal import Planning
internal import Serving

/// One choice of an answer, collected to its end.
struct TextChoice: Sendable {
    var text = ""
    var logProbabilities: [TokenLogProbability] = []
    var toolCalls: [ToolCall] = []
    var finishReason: FinishReason = .stop
    var usage = TokenUsage()
    private var isFinished = false

    /// Takes the next event of the answer. Throws `failed` when it makes no sense.
    mutating func receive(_ event: CompletionEvent) throws {
        switch event {
        case .text(let text, let logProbabilities):
            self.text += text
            self.logProbabilities += logProbabilities
        case .toolCall(let piece):
            if let opening = piece.opening {
                self.toolCalls.append(ToolCall(id: opening.id, name: opening.name, arguments: ""))
            }
            guard self.toolCalls.indices.contains(piece.index) else {
                throw CallError(.failed, "The model's calls of functions came out of order.")
            }
            self.toolCalls[piece.index].arguments += piece.arguments
        case .finished(let reason, let usage):
            self.finishReason = reason
            self.usage = usage
            self.isFinished = true
        }
    }

    /// Asks for an answer, and waits for its end. Throws its error, or `failed` when it just breaks off.
    static func collecting(
        _ ask: (@escaping @Sendable (CompletionEvent) throws -> Void) async throws -> AnswerStamp
    ) async throws -> (TextChoice, AnswerStamp) {
        let collector = AnswerCollector(TextChoice()) { try $0.receive($1) }
        let stamp = try await ask(collector.receive)
        let choice = collector.value
        guard choice.isFinished else { throw CallError(.failed, "The answer broke off before its end.") }
        return (choice, stamp)
    }
}

/// Encodes an answer that is sent at once.
enum WholeAnswer {
    static func encode(
        _ choices: [TextChoice],
        as format: AnswerFormat,
        heading: AnswerHeading,
        usage: TokenUsage,
        logProbabilitiesWanted: Bool
    ) -> ByteBuffer {
        var buffer = ByteBuffer()
        heading.open(&buffer, object: format.object)
        buffer.writeStaticString(",\"choices\":")
        buffer.writeJSONArray(choices.enumerated()) { buffer, element in
            self.write(element.element, at: element.offset, as: format, logProbabilitiesWanted, to: &buffer)
        }
        buffer.writeStaticString(",\"usage\":")
        buffer.writeUsage(usage)
        buffer.writeStaticString("}")
        return buffer
    }

    private static func write(
        _ choice: TextChoice,
        at index: Int,
        as format: AnswerFormat,
        _ logProbabilitiesWanted: Bool,
        to buffer: inout ByteBuffer
    ) {
        buffer.writeString("{\"index\":\(index)")
        switch format {
        case .chat:
            buffer.writeStaticString(",\"message\":{\"role\":\"assistant\",\"content\":")
            if choice.text.isEmpty, !choice.toolCalls.isEmpty {
                buffer.writeStaticString("null")
            } else {
                buffer.writeJSONString(choice.text)
            }
            buffer.writeStaticString(",\"refusal\":null")
            self.write(choice.toolCalls, to: &buffer)
            buffer.writeStaticString("},\"logprobs\":")
        case .completion:
            buffer.writeStaticString(",\"text\":")
            buffer.writeJSONString(choice.text)
            buffer.writeStaticString(",\"logprobs\":")
        }
        if logProbabilitiesWanted {
            switch format {
            case .chat: LogProbabilities.writeChat(choice.logProbabilities, to: &buffer)
            case .completion: LogProbabilities.writeCompletion(choice.logProbabilities, from: 0, to: &buffer)
            }
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"finish_reason\":\"")
        buffer.writeString(choice.finishReason.rawValue)
        buffer.writeStaticString("\"}")
    }

    /// Appends `,"tool_calls": […]` where there are any.
    private static func write(_ calls: [ToolCall], to buffer: inout ByteBuffer) {
        if calls.isEmpty { return }
        buffer.writeStaticString(",\"tool_calls\":")
        buffer.writeJSONArray(calls) { buffer, call in
            buffer.writeStaticString("{\"id\":")
            buffer.writeJSONString(call.id)
            buffer.writeStaticString(",\"type\":\"function\",\"function\":{\"name\":")
            buffer.writeJSONString(call.name)
            buffer.writeStaticString(",\"arguments\":")
            buffer.writeJSONString(call.arguments)
            buffer.writeStaticString("}}")
        }
    }
}
