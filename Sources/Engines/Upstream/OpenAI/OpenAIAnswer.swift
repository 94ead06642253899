internal import Planning
internal import Schema

/// Turns the chunks of an answer in OpenAI's form, or the whole answer as the only one, into events.
struct OpenAIAnswer: Sendable {
    private let endpoint: UpstreamEndpoint
    private let wantsLogProbabilities: Bool
    private let emit: @Sendable (CompletionEvent) -> Void
    private var finishReason: FinishReason?
    private var usage = TokenUsage()
    private var isFinished = false

    init(_ call: OpenAICall, from endpoint: UpstreamEndpoint, _ emit: @escaping @Sendable (CompletionEvent) -> Void) {
        self.endpoint = endpoint
        self.wantsLogProbabilities = call.wantsLogProbabilities
        self.emit = emit
    }

    /// Takes one chunk's JSON, or the `[DONE]` behind the last one. Throws ``UpstreamFailure``.
    mutating func receive(_ data: [UInt8]) throws {
        guard !self.isFinished else { return }
        guard data != Self.done else { return try self.finish() }
        let chunk: JSONValue
        do {
            chunk = try JSONValue(parsing: data, limits: JSONLimits(depth: 32))
        } catch {
            throw self.nonsense("sent what is no JSON: \(error)")
        }
        if let error = chunk["error"], error != .null {
            let words = error["message"]?.string ?? error.string ?? "no reason given"
            throw self.nonsense("failed: \(self.endpoint.clean(words))")
        }
        if let usage = chunk["usage"], case .object = usage { self.usage = try self.usage(in: usage) }
        guard case .array(let choices)? = chunk["choices"] else {
            throw self.nonsense("sent an answer without choices")
        }
        for choice in choices { try self.take(choice) }
    }

    /// Takes the end of the answer.
    mutating func finish() throws {
        guard !self.isFinished else { return }
        guard let finishReason else { throw self.nonsense("broke its answer off") }
        self.isFinished = true
        self.emit(.finished(finishReason, self.usage))
    }

    /// Lets a parser work on the answer's behalf, and names the server in what it finds wrong.
    mutating func guarding(_ body: (inout OpenAIAnswer) throws -> Void) throws {
        do {
            try body(&self)
        } catch is EventStreamParser.TooLong {
            throw self.nonsense("sent an event that is too long")
        }
    }

    private mutating func take(_ choice: JSONValue) throws {
        guard case .object = choice else { throw self.nonsense("sent a choice that is no object") }
        if let index = choice["index"], index != .integer(0) { throw self.nonsense("sent more than one choice") }
        let message = choice["delta"] ?? choice["message"] ?? choice
        let text =
            try self.text("content", in: message) ?? self.text("refusal", in: message)
            ?? self.text("text", in: message) ?? ""
        guard let logProbabilities = OpenAILogProbabilities.read(choice["logprobs"]) else {
            throw self.nonsense("sent log-probabilities that cannot be read")
        }
        if self.wantsLogProbabilities, !text.isEmpty, logProbabilities.isEmpty {
            throw UpstreamFailure(.rejected, "the model's server gives no log-probabilities", parameter: "logprobs")
        }
        if !text.isEmpty || !logProbabilities.isEmpty { self.emit(.text(text, logProbabilities: logProbabilities)) }
        for (position, call) in try self.list("tool_calls", in: message).enumerated() {
            self.emit(.toolCall(try self.piece(of: call, at: position)))
        }
        guard let reason = try self.text("finish_reason", in: choice) else { return }
        guard let known = FinishReason(rawValue: reason) else {
            throw self.nonsense("ended its answer for an unknown reason, '\(self.endpoint.clean(reason))'")
        }
        self.finishReason = known
    }

    /// A streamed call has its number, and an id in its first piece alone; a whole one has its place.
    private func piece(of call: JSONValue, at position: Int) throws -> ToolCallPiece {
        var index = position
        switch call["index"] {
        case .integer(let number)? where (0..<Int64(Self.mostCalls)).contains(number): index = Int(number)
        case nil: break
        case .some: throw self.nonsense("sent a call without a number")
        }
        let function = call["function"] ?? .null
        let name = try self.text("name", in: function)
        let id = try self.text("id", in: call)
        return ToolCallPiece(
            index: index,
            opening: name.map { ToolCallPiece.Opening(id: id ?? "call_\(index)", name: $0) },
            arguments: try self.text("arguments", in: function) ?? ""
        )
    }

    private func list(_ name: String, in value: JSONValue) throws -> [JSONValue] {
        switch value[name] {
        case .array(let elements)? where elements.count <= Self.mostCalls: return elements
        case .null?, nil: return []
        case .some: throw self.nonsense("sent '\(name)' that cannot be read")
        }
    }

    private func text(_ name: String, in value: JSONValue) throws -> String? {
        switch value[name] {
        case .string(let text)?: return text
        case .null?, nil: return nil
        case .bool?, .integer?, .number?, .array?, .object?: throw self.nonsense("sent a '\(name)' that is no text")
        }
    }

    private func usage(in value: JSONValue) throws -> TokenUsage {
        func count(_ name: String, in value: JSONValue? = value) throws -> Int {
            guard let number = value?[name], number != .null else { return 0 }
            guard case .integer(let count) = number, (0...Int64(Int32.max)).contains(count) else {
                throw self.nonsense("sent '\(name)' that is no number of tokens")
            }
            return Int(count)
        }
        return TokenUsage(
            promptTokens: try count("prompt_tokens"),
            completionTokens: try count("completion_tokens"),
            cachedTokens: try count("cached_tokens", in: value["prompt_tokens_details"])
        )
    }

    private func nonsense(_ problem: String) -> UpstreamFailure {
        UpstreamFailure(nonsense: problem, from: self.endpoint)
    }

    /// The most calls of functions in one answer.
    private static let mostCalls = 1024
    private static let done = Array("[DONE]".utf8)
}
