internal import Planning
internal import Schema

/// One prompt step, ready to ask: its compiled template and the model that it asks.
struct PromptStep: Sendable {
    /// What a model made of the step.
    struct Answer: Sendable {
        var output: JSONValue
        var finishReason: FinishReason
        /// As the model was asked, the last time.
        var request: CompletionRequest
    }

    let renderer: PromptRenderer
    /// The key under which a replica holds the model.
    let model: ResourceIdentity
    let adapters: [String]

    /// Fills the template in and asks the model until the answer is valid or the retries are used up. Throws
    /// ``PromptProblem`` for values that the template does not take, and for what its guards refuse.
    ///
    /// - Parameters:
    ///   - models: of the replica, by the resource that declares each.
    ///   - spend: gets the tokens of every attempt.
    ///   - note: gets each guard that fires, in order, before anything comes of it.
    ///   - emit: gets the text: as it comes when nothing is to be looked at first, else as a whole once it has passed.
    ///     An answer that is data is not given to it.
    func ask(
        _ values: [String: JSONValue],
        of models: [ResourceIdentity: any CompletionModel],
        spend: (TokenUsage) -> Void,
        note: (GuardRecord) throws -> Void,
        emit: (String) throws -> Void
    ) async throws -> Answer {
        guard let model = models[self.model] else {
            throw CallError(.unavailable, "\(self.model) is not loaded", retryAfter: 1)
        }
        let request = try await self.renderer.guarded(
            values,
            for: model,
            among: models,
            adapters: self.adapters,
            spend: spend,
            note: note
        )
        let isText = self.renderer.output == nil
        let streams = isText && !self.renderer.guards.checkAnswers
        var (answer, tokens) = try await self.answer(request, of: model, spend, emit: streams ? emit : { _ in })
        answer.output = try await self.renderer.guarded(
            answer: answer.output,
            tokens: tokens,
            among: models,
            spend: spend,
            note: note
        )
        if isText, !streams, let text = answer.output.string, !text.isEmpty { try emit(text) }
        return answer
    }

    /// Asks until the answer is valid. Returns it with the tokens of its text, where they were counted.
    private func answer(
        _ first: CompletionRequest,
        of model: any CompletionModel,
        _ spend: (TokenUsage) -> Void,
        emit: (String) throws -> Void
    ) async throws -> (Answer, tokens: Int?) {
        var request = first
        var attempt = 0
        while true {
            let text = try await PromptStep.complete(request, with: model, spend: spend, emit: emit)
            let tokens = text.tokens > 0 ? text.tokens : nil
            func answer(_ output: JSONValue) -> (Answer, tokens: Int?) {
                (Answer(output: output, finishReason: text.reason, request: request), tokens)
            }
            guard let contract = self.renderer.output else { return answer(.string(text.text)) }
            switch contract.judge(text.text) {
            case .valid(let value): return answer(value)
            case .invalid(let why):
                if contract.onInvalid == .pass {
                    return answer((try? JSONValue(parsing: text.text)) ?? .string(text.text))
                }
                guard attempt < contract.retries else { throw CallError(.failed, why) }
                attempt += 1
                request = contract.next(request, first: first, after: text.text, why)
            }
        }
    }

    private static func complete(
        _ request: CompletionRequest,
        with model: any CompletionModel,
        spend: (TokenUsage) -> Void,
        emit: (String) throws -> Void
    ) async throws -> (text: String, reason: FinishReason, tokens: Int) {
        var text = ""
        for try await event in try await model.complete(request) {
            switch event {
            case .text(let piece, _):
                text += piece
                try emit(piece)
            case .toolCall: throw CallError(.failed, "the model called a function, and its step offers none")
            case .finished(let reason, let usage):
                spend(usage)
                return (text, reason, usage.completionTokens)
            }
        }
        try Task.checkCancellation()
        throw MartletError.answerIncomplete
    }
}
