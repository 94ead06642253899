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
    /// ``PromptProblem`` for values that the template does not take.
    ///
    /// - Parameters:
    ///   - models: of the replica, by the resource that declares each.
    ///   - spend: gets the tokens of every attempt.
    ///   - note: gets each guard that fires, in order, before anything comes of it.
    ///   - emit: gets the text as it comes when nothing validates it.
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
        var request = try self.renderer.render(values, adapters: self.adapters)
        guard let contract = self.renderer.output else {
            let (text, reason) = try await PromptStep.complete(request, with: model, spend: spend, emit: emit)
            return Answer(output: .string(text), finishReason: reason, request: request)
        }
        var attempt = 0
        while true {
            let (text, reason) = try await PromptStep.complete(request, with: model, spend: spend, emit: { _ in })
            switch contract.judge(text) {
            case .valid(let value): return Answer(output: value, finishReason: reason, request: request)
            case .invalid(let why):
                if contract.onInvalid == .pass {
                    let value = (try? JSONValue(parsing: text)) ?? .string(text)
                    return Answer(output: value, finishReason: reason, request: request)
                }
                guard attempt < contract.retries else { throw CallError(.failed, why) }
                attempt += 1
                // The same seed would give the same answer again.
                request.sampling.seed = request.sampling.seed.map { $0 &+ 1 }
            }
        }
    }

    private static func complete(
        _ request: CompletionRequest,
        with model: any CompletionModel,
        spend: (TokenUsage) -> Void,
        emit: (String) throws -> Void
    ) async throws -> (String, FinishReason) {
        var text = ""
        for try await event in try await model.complete(request) {
            switch event {
            case .text(let piece, _):
                text += piece
                try emit(piece)
            case .toolCall: throw CallError(.failed, "the model called a function, and its step offers none")
            case .finished(let reason, let usage):
                spend(usage)
                return (text, reason)
            }
        }
        try Task.checkCancellation()
        throw MartletError.answerIncomplete
    }
}
