internal import NIOCore
internal import Planning
internal import Schema

/// Encodes the server-sent events of one streamed answer.
///
/// What all chunks of a stream have in common is encoded once; a token then costs two copies and the escaping of its
/// text.
struct ChunkEncoder {
    private let format: AnswerFormat
    /// From `data: {` up to the choice's index.
    private let prefix: ByteBuffer
    /// From the end of `choices` to the blank line.
    private let suffix: ByteBuffer
    private let heading: AnswerHeading
    /// Per choice, in characters, for `text_offset`.
    private var offsets: [Int: Int] = [:]

    init(_ format: AnswerFormat, heading: AnswerHeading, includesUsage: Bool) {
        self.format = format
        self.heading = heading
        var prefix = ByteBuffer(string: "data: ")
        heading.open(&prefix, object: format.chunkObject)
        prefix.writeStaticString(",\"choices\":[{\"index\":")
        self.prefix = prefix
        self.suffix = ByteBuffer(string: includesUsage ? "}],\"usage\":null}\n\n" : "}]}\n\n")
    }

    /// The first chunk of a choice, with the role; plain completions have none.
    func opening(ofChoice choice: Int) -> ByteBuffer? {
        switch self.format {
        case .chat:
            self.chunk(choice, capacity: 0) {
                $0.writeStaticString(
                    ",\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null"
                )
            }
        case .completion: nil
        }
    }

    /// A piece of text of a choice.
    mutating func text(
        _ text: String,
        logProbabilities: [TokenLogProbability],
        ofChoice choice: Int
    ) -> ByteBuffer {
        var offset = self.offsets[choice, default: 0]
        let chunk = self.chunk(choice, capacity: text.utf8.count) { buffer in
            switch self.format {
            case .chat:
                buffer.writeStaticString(",\"delta\":{\"content\":\"")
                buffer.writeJSONEscaped(text)
                buffer.writeStaticString("\"},\"logprobs\":")
            case .completion:
                buffer.writeStaticString(",\"text\":\"")
                buffer.writeJSONEscaped(text)
                buffer.writeStaticString("\",\"logprobs\":")
            }
            if logProbabilities.isEmpty {
                buffer.writeStaticString("null")
            } else {
                switch self.format {
                case .chat: LogProbabilities.writeChat(logProbabilities, to: &buffer)
                case .completion:
                    offset = LogProbabilities.writeCompletion(logProbabilities, from: offset, to: &buffer)
                }
            }
            buffer.writeStaticString(",\"finish_reason\":null")
        }
        if !logProbabilities.isEmpty { self.offsets[choice] = offset }
        return chunk
    }

    /// A piece of a call of a function; plain completions make none.
    func toolCall(_ piece: ToolCallPiece, ofChoice choice: Int) -> ByteBuffer {
        self.chunk(choice, capacity: piece.arguments.utf8.count) { buffer in
            buffer.writeString(",\"delta\":{\"tool_calls\":[{\"index\":\(piece.index)")
            if let opening = piece.opening {
                buffer.writeStaticString(",\"id\":")
                buffer.writeJSONString(opening.id)
                buffer.writeStaticString(",\"type\":\"function\",\"function\":{\"name\":")
                buffer.writeJSONString(opening.name)
                buffer.writeStaticString(",\"arguments\":")
            } else {
                buffer.writeStaticString(",\"function\":{\"arguments\":")
            }
            buffer.writeJSONString(piece.arguments)
            buffer.writeStaticString("}}]},\"logprobs\":null,\"finish_reason\":null")
        }
    }

    /// The last chunk of a choice.
    func finish(_ reason: FinishReason, ofChoice choice: Int) -> ByteBuffer {
        self.chunk(choice, capacity: 0) { buffer in
            switch self.format {
            case .chat: buffer.writeStaticString(",\"delta\":{}")
            case .completion: buffer.writeStaticString(",\"text\":\"\"")
            }
            buffer.writeStaticString(",\"logprobs\":null,\"finish_reason\":\"")
            buffer.writeString(reason.rawValue)
            buffer.writeStaticString("\"")
        }
    }

    /// The chunk with the counted tokens and no choices.
    func usage(_ usage: TokenUsage) -> ByteBuffer {
        var buffer = ByteBuffer(string: "data: ")
        self.heading.open(&buffer, object: self.format.chunkObject)
        buffer.writeStaticString(",\"choices\":[],\"usage\":")
        buffer.writeUsage(usage)
        buffer.writeStaticString("}\n\n")
        return buffer
    }

    /// The end of every stream that did not fail.
    static let done = ByteBuffer(string: "data: [DONE]\n\n")

    /// What follows when an answer fails after its first byte; nothing comes after it.
    static func failure(_ error: OpenAIError) -> ByteBuffer {
        ServerSentEvent.encode(nil, data: error.body)
    }

    private func chunk(_ choice: Int, capacity: Int, _ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(self.prefix.readableBytes + self.suffix.readableBytes + capacity + 128)
        buffer.writeImmutableBuffer(self.prefix)
        buffer.writeString(String(choice))
        write(&buffer)
        buffer.writeImmutableBuffer(self.suffix)
        return buffer
    }
}

extension ByteBuffer {
    /// Appends `{"prompt_tokens", "completion_tokens", "total_tokens"}`, and `prompt_tokens_details` where some of the
    /// prompt was cached.
    mutating func writeUsage(_ usage: TokenUsage) {
        self.writeString("{\"prompt_tokens\":\(usage.promptTokens),\"completion_tokens\":\(usage.completionTokens)")
        self.writeString(",\"total_tokens\":\(usage.promptTokens + usage.completionTokens)")
        if usage.cachedTokens > 0 {
            self.writeString(",\"prompt_tokens_details\":{\"cached_tokens\":\(usage.cachedTokens)}")
        }
        self.writeStaticString("}")
    }
}
