internal import Schema

/// Reads one answer of a load test as far as the figures need it: its errors, its tokens, when its text came.
///
/// The body of an answer that went well and says nothing of tokens is only counted.
struct AnswerReader: Sendable {
    /// The most bytes of a whole answer that are looked at.
    private static let bodyLimit = 1 << 20

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
        guard case .whole(let body) = self.form, let json = try? JSONValue(parsing: body) else { return self.failure }
        if self.failure == nil {
            self.tokens = self.tokens ?? Self.tokens(in: json)
        } else {
            self.failure?.code = Self.errorCode(in: json)
        }
        return self.failure
    }

    private mutating func take(event data: [UInt8], at now: LoadTime) {
        guard let json = try? JSONValue(parsing: data) else { return }
        if let error = json["error"], error != .null {
            self.failure = LoadTally.Failure(status: self.status, code: Self.errorCode(in: json) ?? "error")
        }
        if let tokens = Self.tokens(in: json) { self.tokens = tokens }
        if Self.hasText(json) { self.texts.append(now) }
    }

    /// The code of an error of OpenAI's form, or of problem details.
    private static func errorCode(in json: JSONValue) -> String? {
        json["error"]?["code"]?.string ?? json["error"]?["type"]?.string ?? json["code"]?.string
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
