package import Planning
package import Schema
internal import Synchronization

extension InferenceServer: EndpointService {
    package func listings(for caller: Caller) -> [EndpointListing] {
        let snapshot = self.routes
        return snapshot.names.compactMap { try? snapshot.listing(of: $0, for: caller) }
    }

    package func listing(of endpoint: EndpointName, for caller: Caller) throws(CallError) -> EndpointListing {
        try self.routes.listing(of: endpoint, for: caller)
    }

    package func text(_ call: EndpointCall<TextRequest>) async throws -> TextAnswer {
        let (stamp, events) = try await self.answer(call) { program throws(CallError) in
            try InferenceServer.text(of: call.body, by: program)
        }
        return TextAnswer(stamp: stamp, events: events)
    }

    package func text(
        _ call: EndpointCall<TextRequest>,
        receive: @escaping @Sendable (CompletionEvent) throws -> Void
    ) async throws -> AnswerStamp {
        try await self.complete(call, receive: receive) { program throws(CallError) in
            try InferenceServer.text(of: call.body, by: program)
        }
    }

    package func embeddings(_ call: EndpointCall<[String]>) async throws -> EmbeddingAnswer {
        let answer = Mutex<EmbeddingEvent?>(nil)
        let stamp = try await self.complete(call) { event in
            answer.withLock { $0 = event }
        } prepare: { program throws(CallError) -> Work<EmbeddingEvent> in
            guard case .model(let model) = program else {
                throw CallError(
                    .invalidInput,
                    "the endpoint serves a chain, which gives no embeddings",
                    parameter: "model"
                )
            }
            return { resources, _, emit in
                let (vectors, usage) = try await InferenceServer.find(model, among: resources.models).embed(call.body)
                emit(EmbeddingEvent(vectors: vectors, usage: usage))
            }
        }
        guard let answer = answer.withLock({ $0 }) else { throw CancellationError() }
        return EmbeddingAnswer(stamp: stamp, vectors: answer.vectors, usage: answer.usage)
    }

    package func chain(_ call: EndpointCall<JSONValue>) async throws -> ChainAnswer {
        let (stamp, events) = try await self.answer(call) { program throws(CallError) in
            try InferenceServer.run(of: call.body, by: program)
        }
        return ChainAnswer(stamp: stamp, events: events)
    }

    package func chain(
        _ call: EndpointCall<JSONValue>,
        receive: @escaping @Sendable (ChainEvent) throws -> Void
    ) async throws -> AnswerStamp {
        try await self.complete(call, receive: receive) { program throws(CallError) in
            try InferenceServer.run(of: call.body, by: program)
        }
    }

    private static func text(
        of request: TextRequest,
        by program: RunnerProgram
    ) throws(CallError) -> Work<CompletionEvent> {
        switch program {
        case .model(let model): try self.completion(of: request, by: model)
        case .chain(let chain, let mapping): try self.text(of: request, by: chain, mapping)
        }
    }

    private static func run(of input: JSONValue, by program: RunnerProgram) throws(CallError) -> Work<ChainEvent> {
        switch program {
        case .model:
            throw CallError(
                .invalidInput,
                "the endpoint serves a model, not a chain; ask it by /v1/chat/completions, or for tensors by "
                    + "/v2/models/{model}/infer"
            )
        case .chain(let chain, _):
            try chain.check(input)
            return { resources, trace, emit in
                try await chain.run(input, resources: resources, begin: trace.begin) { emit($0.event) }
            }
        }
    }

    /// A bare model gets the caller's own parameters.
    private static func completion(
        of request: TextRequest,
        by model: ResourceIdentity
    ) throws(CallError) -> Work<CompletionEvent> {
        let check = try AnswerCheck(request)
        var sampling = SamplingParameters()
        sampling.temperature = request.temperature
        sampling.topP = request.topP
        sampling.seed = request.seed
        sampling.frequencyPenalty = request.frequencyPenalty ?? sampling.frequencyPenalty
        sampling.presencePenalty = request.presencePenalty ?? sampling.presencePenalty
        sampling.logitBias = request.logitBias
        let completion = CompletionRequest(
            prompt: request.prompt,
            sampling: sampling,
            maxTokens: request.maxTokens,
            stop: request.stop,
            streams: request.streams,
            topLogProbabilities: request.topLogProbabilities,
            tools: request.tools,
            format: request.format
        )
        guard let check else {
            return { resources, _, emit in
                try await InferenceServer.find(model, among: resources.models).answer(completion, receive: emit)
            }
        }
        return { resources, _, emit in
            let check = Mutex(check)
            try await InferenceServer.find(model, among: resources.models).answer(completion) { event in
                if let event = check.withLock({ $0.receive(event) }) { emit(event) }
            }
            emit(try check.withLock { $0 }.conclude())
        }
    }

    /// A chain's templates set the parameters; the caller's are refused, never ignored.
    private static func text(
        of request: TextRequest,
        by chain: ChainRunner,
        _ mapping: ChatMapping
    ) throws(CallError) -> Work<CompletionEvent> {
        if let parameter = request.givenParameters.first {
            throw CallError(
                .unsupportedParameter,
                "'\(parameter)' cannot be set here: the endpoint serves a chain, whose templates decide it",
                parameter: parameter
            )
        }
        let input = try mapping.input(for: request.prompt)
        try chain.check(input)
        return { resources, trace, emit in
            let text = Mutex(ChainText(candidates: chain.plan.answerCandidates, finalText: mapping.text))
            try await chain.run(input, resources: resources, begin: trace.begin) { update in
                // Given away under the lock: steps report from their own tasks, and their words must keep their order.
                try text.withLock { for event in try $0.receive(update) { emit(event) } }
            }
        }
    }

    private static func find(
        _ model: ResourceIdentity,
        among models: [ResourceIdentity: any CompletionModel]
    ) throws(CallError) -> any CompletionModel {
        guard let found = models[model] else {
            throw CallError(.unavailable, "the model is not loaded", retryAfter: 1)
        }
        return found
    }
}

extension TextRequest {
    /// The OpenAI names of the parameters that the caller gave.
    fileprivate var givenParameters: [String] {
        let given: [(String, Bool)] = [
            ("temperature", self.temperature != nil),
            ("top_p", self.topP != nil),
            ("seed", self.seed != nil),
            ("frequency_penalty", self.frequencyPenalty != nil),
            ("presence_penalty", self.presencePenalty != nil),
            (self.maxTokensName, self.maxTokens != nil),
            ("stop", !self.stop.isEmpty),
            ("logprobs", self.topLogProbabilities != nil),
            ("logit_bias", !self.logitBias.isEmpty),
            ("tools", self.tools != nil),
            ("response_format", self.format != .text),
        ]
        return given.filter(\.1).map(\.0)
    }
}
