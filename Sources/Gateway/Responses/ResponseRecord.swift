internal import Planning
internal import Schema
internal import Serving

/// One server-sent event of a streamed response.
struct ResponseEvent: Sendable, Hashable {
    /// `response.created`, `response.output_text.delta`, …
    var name: String
    var data: JSONValue
}

/// One response as it grows: what came so far, and what is told of each step of it.
struct ResponseRecord: Sendable {
    /// One piece of output: a message or a call.
    private enum Item: Sendable {
        case message(id: String, text: String, logProbabilities: [TokenLogProbability])
        case call(id: String, ToolCall)
    }

    private enum Ending: Sendable {
        case finished(FinishReason, TokenUsage)
        case failed(OpenAIError)
    }

    private let id: String
    private let created: Int64
    private let model: String
    private let echo: [String: JSONValue]
    private let identifiers: IdentifierSource
    private var items: [Item] = []
    private var ending: Ending?
    private var eventCount: Int64 = 0

    /// - Parameter created: in seconds since 1970.
    init(call: ResponseCall, created: Int64, identifiers: @escaping IdentifierSource) {
        self.id = "resp_" + identifiers()
        self.created = created
        self.model = call.model
        self.echo = call.echo
        self.identifiers = identifiers
    }

    /// The events before anything came.
    mutating func begin() -> [ResponseEvent] {
        ["created", "in_progress"].map { self.event("response.\($0)", ["response": self.object]) }
    }

    /// Takes the next piece of the answer. Throws ``CallError`` for pieces out of order.
    mutating func receive(_ event: CompletionEvent) throws -> [ResponseEvent] {
        switch event {
        case .text(let text, let logProbabilities): return self.add(text, logProbabilities)
        case .toolCall(let piece): return try self.add(piece)
        case .finished(let reason, let usage):
            let events = self.closeItem(isCut: reason == .length || reason == .contentFilter)
            self.ending = .finished(reason, usage)
            return events
        }
    }

    /// The last event of a response that did not fail. Throws ``CallError`` when the answer has no end.
    mutating func end() throws -> [ResponseEvent] {
        let object = try self.finished()
        return [
            self.event(
                object["status"] == "completed" ? "response.completed" : "response.incomplete",
                [
                    "response": object
                ]
            )
        ]
    }

    /// The whole response. Throws ``CallError`` when the answer has no end.
    func finished() throws -> JSONValue {
        guard self.ending != nil else { throw CallError(.failed, "The answer broke off before its end.") }
        return self.object
    }

    /// The last events of a response that failed.
    mutating func fail(_ error: OpenAIError) -> [ResponseEvent] {
        self.ending = .failed(error)
        let told = self.event(
            "error",
            [
                "code": .string(error.code), "message": .string(error.message),
                "param": error.parameter.map { .string($0) } ?? .null,
            ]
        )
        return [told, self.event("response.failed", ["response": self.object])]
    }

    // MARK: Output

    private mutating func add(_ text: String, _ logProbabilities: [TokenLogProbability]) -> [ResponseEvent] {
        var events: [ResponseEvent] = []
        if !self.isInMessage {
            events += self.open(.message(id: "msg_" + self.identifiers(), text: "", logProbabilities: []))
        }
        guard case .message(let id, let before, let known) = self.items.last else { return events }
        self.items[self.items.count - 1] =
            .message(id: id, text: before + text, logProbabilities: known + logProbabilities)
        events.append(
            self.event(
                "response.output_text.delta",
                self.place(
                    id,
                    isContent: true,
                    [
                        "delta": .string(text), "logprobs": self.json(logProbabilities),
                    ]
                )
            )
        )
        return events
    }

    /// Whether text goes on with the last item.
    private var isInMessage: Bool {
        guard case .message = self.items.last else { return false }
        return true
    }

    private mutating func add(_ piece: ToolCallPiece) throws -> [ResponseEvent] {
        var events: [ResponseEvent] = []
        if let opening = piece.opening {
            let call = ToolCall(id: opening.id, name: opening.name, arguments: "")
            events += self.open(.call(id: "fc_" + self.identifiers(), call))
        }
        guard case .call(let id, var call) = self.items.last else {
            throw CallError(.failed, "The model's calls of functions came out of order.")
        }
        guard !piece.arguments.isEmpty else { return events }
        call.arguments += piece.arguments
        self.items[self.items.count - 1] = .call(id: id, call)
        let members = self.place(id, isContent: false, ["delta": .string(piece.arguments)])
        events.append(self.event("response.function_call_arguments.delta", members))
        return events
    }

    private mutating func open(_ item: Item) -> [ResponseEvent] {
        var events = self.closeItem(isCut: false)
        self.items.append(item)
        events.append(
            self.event(
                "response.output_item.added",
                ["output_index": self.lastIndex, "item": self.json(item, status: "in_progress")]
            )
        )
        if case .message(let id, _, _) = item {
            let part = self.place(id, isContent: true, ["part": self.part("", [])])
            events.append(self.event("response.content_part.added", part))
        }
        return events
    }

    private mutating func closeItem(isCut: Bool) -> [ResponseEvent] {
        guard let item = self.items.last else { return [] }
        var events: [ResponseEvent] = []
        switch item {
        case .message(let id, let text, let logProbabilities):
            let done: [String: JSONValue] = ["text": .string(text), "logprobs": self.json(logProbabilities)]
            events.append(self.event("response.output_text.done", self.place(id, isContent: true, done)))
            let part = self.part(text, logProbabilities)
            events.append(self.event("response.content_part.done", self.place(id, isContent: true, ["part": part])))
        case .call(let id, let call):
            let done: [String: JSONValue] = ["name": .string(call.name), "arguments": .string(call.arguments)]
            events.append(
                self.event("response.function_call_arguments.done", self.place(id, isContent: false, done))
            )
        }
        let status = isCut ? "incomplete" : "completed"
        events.append(
            self.event(
                "response.output_item.done",
                ["output_index": self.lastIndex, "item": self.json(item, status: status)]
            )
        )
        return events
    }

    // MARK: JSON

    private var lastIndex: JSONValue { .integer(Int64(self.items.count - 1)) }

    private mutating func event(_ name: String, _ members: [String: JSONValue]) -> ResponseEvent {
        var members = members
        members["type"] = .string(name)
        members["sequence_number"] = .integer(self.eventCount)
        self.eventCount += 1
        return ResponseEvent(name: name, data: .object(members))
    }

    /// Members that say where in the output a piece belongs.
    private func place(
        _ id: String,
        isContent: Bool,
        _ members: [String: JSONValue]
    ) -> [String: JSONValue] {
        var members = members
        members["item_id"] = .string(id)
        members["output_index"] = self.lastIndex
        if isContent { members["content_index"] = 0 }
        return members
    }

    private func part(_ text: String, _ logProbabilities: [TokenLogProbability]) -> JSONValue {
        [
            "type": "output_text", "text": .string(text), "annotations": [],
            "logprobs": self.json(logProbabilities),
        ]
    }

    private func json(_ tokens: [TokenLogProbability]) -> JSONValue {
        .array(
            tokens.map { token in
                var members = self.json(token)
                members["top_logprobs"] = .array(token.alternatives.map { .object(self.json($0)) })
                return .object(members)
            }
        )
    }

    private func json(_ token: TokenLogProbability) -> [String: JSONValue] {
        [
            "token": .string(token.text),
            "logprob": .number(LogProbabilities.finite(token.logProbability)),
            "bytes": .array(token.bytes.map { .integer(Int64($0)) }),
        ]
    }

    private func json(_ item: Item, status: String) -> JSONValue {
        switch item {
        case .message(let id, let text, let logProbabilities):
            [
                "id": .string(id), "type": "message", "role": "assistant", "status": .string(status),
                "content": status == "in_progress" ? [] : [self.part(text, logProbabilities)],
            ]
        case .call(let id, let call):
            [
                "id": .string(id), "type": "function_call", "status": .string(status), "call_id": .string(call.id),
                "name": .string(call.name), "arguments": .string(call.arguments),
            ]
        }
    }

    /// The response as it is now.
    private var object: JSONValue {
        var status = "in_progress"
        var members = self.echo
        members["usage"] = .null
        members["error"] = .null
        members["incomplete_details"] = .null
        switch self.ending {
        case .finished(let reason, let usage):
            status = "completed"
            if let why = reason.incompleteReason {
                status = "incomplete"
                members["incomplete_details"] = ["reason": .string(why)]
            }
            members["usage"] = self.json(usage)
        case .failed(let error):
            status = "failed"
            members["error"] = ["code": "server_error", "message": .string(error.message)]
        case nil: break
        }
        members["output"] = .array(
            self.items.enumerated().map { index, item in
                let isCut = index == self.items.count - 1 && status != "completed"
                return self.json(item, status: isCut ? "incomplete" : "completed")
            }
        )
        members.merge(
            [
                "id": .string(self.id), "object": "response", "created_at": .integer(self.created),
                "model": .string(self.model), "status": .string(status), "previous_response_id": .null,
                "reasoning": ["effort": .null, "summary": .null], "store": false, "truncation": "disabled",
                "background": false, "service_tier": "default",
            ],
            uniquingKeysWith: { $1 }
        )
        return .object(members)
    }

    private func json(_ usage: TokenUsage) -> JSONValue {
        [
            "input_tokens": .integer(Int64(usage.promptTokens)),
            "input_tokens_details": ["cached_tokens": .integer(Int64(usage.cachedTokens))],
            "output_tokens": .integer(Int64(usage.completionTokens)), "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": .integer(Int64(usage.promptTokens + usage.completionTokens)),
        ]
    }
}

extension FinishReason {
    /// Why a response is not complete, in its own words; nil where it is.
    fileprivate var incompleteReason: String? {
        switch self {
        case .stop, .toolCalls: nil
        case .length: "max_output_tokens"
        case .contentFilter: "content_filter"
        }
    }
}
