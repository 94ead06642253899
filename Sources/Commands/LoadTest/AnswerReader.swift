internal import Schema

/// Reads one answer of a load test as far as the figures need it: its errors, its tokens, when its text came.
///
/// The body of an answer that went well and says nothing of tokens is only counted.
struct AnswerReader: Sendable {
    /// The most bytes of a whole answer that are looked at.
    private static let bodyLimit = 1 << 20
    /// The most characters that are kept of what an error says.
    private static let messageLimit = 300

    private enum Form: Sendable {
        /// Its bytes are counted.
        case counted
        /// It is read when it is complete.
        case whole([UInt8])
        /// It is read event by event.
        case streamed(EventStream)
    }

    private let status: Int
    private var form: Form
    private var failure: LoadTally.Failure?
    /// What the answer says of its failure, for people; shortened.
    private(set) var message: String?
    private(set) var tokens: Int?
    private(set) var texts: [LoadTime] = []
    private(set) var bytes = 0

    /// - Parameters:
    ///   - tokens: what a header says.
    ///   - countsTokens: whether a whole body may tell how many there are.
    init(status: Int, isEventStream: Bool, tokens: Int?, countsTokens: Bool) {
        self.status = status
        self.tokens = tokens
        let isError = status >= 400
        if isError { self.failure = LoadTally.Failure(status: status, code: nil) }
        self.form =
            isEventStream && !isError
            ? .streamed(EventStream()) : isError || countsTokens ? .whole([]) : .counted
    }

    /// Takes the next piece of the body.
    mutating func take(_ piece: some Collection<UInt8>, at now: LoadTime) {
        self.bytes += piece.count
        switch self.form {
        case .counted: break
        case .whole(var body):
            // Nothing else holds the bytes while they grow.
            self.form = .counted
            body.append(contentsOf: piece.prefix(Self.bodyLimit - body.count))
            self.form = .whole(body)
        case .streamed(var stream):
            self.form = .counted
            for data in stream.append(piece) { self.take(event: data, at: now) }
            self.form = .streamed(stream)
        }
    }

    /// Ends the answer; returns why it counts as failed.
    mutating func finish() -> LoadTally.Failure? {
        guard case .whole(let body) = self.form else { return self.failure }
        let json = try? JSONValue(parsing: body)
        if self.failure == nil {
            self.tokens = self.tokens ?? json.flatMap { Self.tokens(in: $0) }
        } else {
            self.failure?.code = json.flatMap { Self.errorCode(in: $0) }
            self.message = Self.shortened(
                json.map { Self.errorMessage(in: $0) } ?? String(decoding: body, as: UTF8.self)
            )
        }
        return self.failure
    }

    private mutating func take(event data: [UInt8], at now: LoadTime) {
        guard let json = try? JSONValue(parsing: data) else { return }
        if let error = json["error"], error != .null {
            self.failure = LoadTally.Failure(status: self.status, code: Self.errorCode(in: json) ?? "error")
            self.message = Self.shortened(Self.errorMessage(in: json))
        }
        if let tokens = Self.tokens(in: json) { self.tokens = tokens }
        if Self.hasText(json) { self.texts.append(now) }
    }

    /// The code of an error of OpenAI's form, or of problem details.
    private static func errorCode(in json: JSONValue) -> String? {
        json["error"]?["code"]?.string ?? json["error"]?["type"]?.string ?? json["code"]?.string
    }

    /// The sentence of such an error, or of one of the Open Inference Protocol; of any other JSON the whole.
    private static func errorMessage(in json: JSONValue) -> String {
        let error = json["error"]
        return error?["message"]?.string ?? error?.string ?? json["detail"]?.string ?? json["message"]?.string
            ?? json.canonicalJSON
    }

    /// The text in one line of a length to be shown; nil where it says nothing.
    private static func shortened(_ text: String) -> String? {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if line.isEmpty { return nil }
        return line.count <= Self.messageLimit ? line : line.prefix(Self.messageLimit) + "…"
    }

    /// How many tokens an answer or one of its events says that there are.
    private static func tokens(in json: JSONValue) -> Int? {
        let usage = json["usage"] ?? json["response"]?["usage"]
        guard case .integer(let count) = usage?["completion_tokens"] ?? usage?["output_tokens"] else { return nil }
        return Int(count)
    }

    /// Whether an event brings text: a piece of a chat, a completion, a response, a chain's step, a generated answer.
    private static func hasText(_ json: JSONValue) -> Bool {
        let choice = json["choices"]?.array?.first
        let pieces = [
            choice?["delta"]?["content"], choice?["text"], json["delta"], json["text"], json["text_output"],
        ]
        if pieces.contains(where: { $0?.string?.isEmpty == false }) { return true }
        return choice?["delta"]?["tool_calls"]?.array?.isEmpty == false
    }
}
