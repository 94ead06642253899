internal import Planning
internal import Schema

/// One prompt step, ready to ask: its compiled template and the model that it asks.
struct PromptStep: Sendable {
    /// What a model made of the step.
    struct Answer: Sendable {
        var output: JSONValue
        var finishReason: FinishReason
    }

    let renderer: PromptRenderer
    /// The key under which a replica holds the model.
    let model: ResourceIdentity
    let adapters: [String]

    /// Asks the model until the answer is valid or the retries are used up.
    ///
    /// `emit` gets the text as it comes when nothing validates it; `spend` gets the tokens of every attempt.
    func ask(
        _ request: CompletionRequest,
        of model: any CompletionModel,
        spend: (TokenUsage) -> Void,
        emit: (String) throws -> Void
    ) async throws -> Answer {
        guard let contract = self.renderer.output else {
            let (text, reason) = try await PromptStep.complete(request, with: model, spend: spend, emit: emit)
            return Answer(output: .string(text), finishReason: reason)
        }
        var request = request
        var attempt = 0
        while true {
            let (text, reason) = try await PromptStep.complete(request, with: model, spend: spend, emit: { _ in })
            switch contract.judge(text) {
            case .valid(let value): return Answer(output: value, finishReason: reason)
            case .invalid(let why):
                if contract.onInvalid == .pass {
                    let value = (try? JSONValue(parsing: text)) ?? .string(text)
                    return Answer(output: value, finishReason: reason)
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
