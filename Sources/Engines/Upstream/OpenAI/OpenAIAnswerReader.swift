internal import NIOCore
internal import NIOHTTP1
internal import Planning
internal import Schema

/// Reads one choice of an answer in OpenAI's form, streamed or whole, and gives it away piece by piece.
struct OpenAIAnswerReader: AnswerReader {
    private enum Form: Sendable {
        case events(EventStreamParser)
        case whole(CollectingReader)
    }

    private var form: Form
    private var answer: OpenAIAnswer

    /// A server may answer whole where a stream was asked for: what counts is what it says that it sends.
    init(
        _ head: HTTPResponseHead,
        _ call: OpenAICall,
        from endpoint: UpstreamEndpoint,
        _ receive: @escaping @Sendable (CompletionEvent) -> Void
    ) throws {
        self.answer = OpenAIAnswer(call, from: endpoint, receive)
        let type = head.headers.first(name: "content-type")?.lowercased() ?? ""
        if type.hasPrefix("text/event-stream") {
            self.form = .events(EventStreamParser())
        } else if type.hasPrefix("application/json") {
            let answer = self.answer
            self.form = .whole(
                CollectingReader(head, limit: OpenAIUpstream.longestAnswer, from: endpoint) { body in
                    var answer = answer
                    try answer.receive(body)
                    try answer.finish()
                }
            )
        } else {
            throw UpstreamFailure(nonsense: "sent '\(endpoint.clean(type))', which is no answer", from: endpoint)
        }
    }

    mutating func receive(_ bytes: ByteBuffer) throws {
        switch self.form {
        case .events(var parser):
            defer { self.form = .events(parser) }
            try self.answer.guarding { answer in try parser.append(bytes) { try answer.receive($0) } }
        case .whole(var reader):
            // Let go first, so that its bytes are not copied.
            self.form = .events(EventStreamParser())
            defer { self.form = .whole(reader) }
            try reader.receive(bytes)
        }
    }

    mutating func finish() throws {
        switch self.form {
        case .events(var parser):
            try self.answer.guarding { answer in try parser.finish { try answer.receive($0) } }
            try self.answer.finish()
        case .whole(var reader):
            try reader.finish()
        }
    }
}
