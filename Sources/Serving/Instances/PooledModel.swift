internal import Planning
internal import Schema

/// A loaded model of the pool: one whose tokens or runs are scheduled here, or one that answers by itself.
enum PooledModel: Sendable {
    case language(LanguageModelServer)
    case completion(any CompletionModel)
    case tensor(TensorModelServer)
    case tensorService(any TensorService)

    var description: ModelDescription {
        switch self {
        case .language(let server): server.description
        case .completion(let model): model.description
        case .tensor(let server): server.description
        case .tensorService(let model): model.description
        }
    }

    /// Bytes in use. A model that answers by itself is believed.
    var memoryBytes: Int64 {
        switch self {
        case .language(let server): server.memoryBytes
        case .completion(let model): model.description.weightBytes + model.description.sessionBytes
        case .tensor(let server): server.memoryBytes
        case .tensorService(let model): model.description.weightBytes + model.description.sessionBytes
        }
    }

    var lastFailure: MartletError? {
        switch self {
        case .language(let server): server.lastFailure
        case .tensor(let server): server.lastFailure
        case .completion, .tensorService: nil
        }
    }

    /// The servers that answer, for a model that is not here.
    var upstreams: [UpstreamObservation] {
        switch self {
        case .language, .tensor: []
        case .completion(let model): model.upstreams
        case .tensorService(let model): model.upstreams
        }
    }

    /// Asks ``upstreams`` how they are, until the model is closed; `changed` is called whenever one of them begins to cool
    /// down or answers again.
    func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async {
        switch self {
        case .language, .tensor: break
        case .completion(let model): await model.watchUpstreams(changed)
        case .tensorService(let model): await model.watchUpstreams(changed)
        }
    }

    /// Copies that take requests. One that answers by itself is as many as are asked for.
    func readyCopies(wanted: Int) -> Int {
        switch self {
        case .language(let server): server.readyCopies
        case .tensor(let server): server.readyCopies
        case .completion, .tensorService: wanted
        }
    }

    func complete(
        _ request: CompletionRequest,
        priority: RequestPriority
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        switch self {
        case .language(let server): try await server.complete(request, priority: priority)
        case .completion(let model): try await model.complete(request)
        case .tensor, .tensorService: throw MartletError.takesTensors("CannotGenerate", self.description)
        }
    }

    func answer(
        _ request: CompletionRequest,
        receive: @escaping @Sendable (CompletionEvent) -> Void
    ) async throws {
        switch self {
        case .language(let server): try await server.answer(request, receive: receive)
        case .completion(let model): try await model.answer(request, receive: receive)
        case .tensor, .tensorService: throw MartletError.takesTensors("CannotGenerate", self.description)
        }
    }

    func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        switch self {
        case .language(let server): try await server.embed(texts)
        case .completion(let model): try await model.embed(texts)
        case .tensor, .tensorService: throw MartletError.takesTensors("NoEmbeddings", self.description)
        }
    }

    /// The tokens of texts; nil where they are not known here.
    func countTokens(of texts: [String]) async throws -> Int? {
        switch self {
        case .language(let server): try await server.countTokens(of: texts)
        case .completion(let model): try await model.countTokens(of: texts)
        case .tensor, .tensorService: nil
        }
    }

    /// Computes outputs of a model of tensors. Throws what ``TensorService/run(_:outputs:)`` throws, `NoTensors`, and the
    /// ``EarlyEnd`` of the options' signal.
    func run(_ inputs: [Tensor], outputs: [String], options: TensorRunOptions) async throws -> TensorRunResult {
        switch self {
        case .tensor(let server): return try await server.run(inputs, outputs: outputs, options: options)
        case .tensorService(let model):
            guard let signal = options.signal else {
                return TensorRunResult(outputs: try await model.run(inputs, outputs: outputs))
            }
            return try await signal.ending {
                TensorRunResult(outputs: try await model.run(inputs, outputs: outputs))
            }
        case .language, .completion:
            throw MartletError("NoTensors", "this model takes text, not tensors")
        }
    }

    func close() async {
        switch self {
        case .language(let server): await server.close()
        case .completion(let model): await model.close()
        case .tensor(let server): await server.close()
        case .tensorService(let model): await model.close()
        }
    }

    // MARK: Warm-up

    /// Sends the requests through, greedily. Throws `WarmUpFailed`, or `LoadAbandoned` when cancelled.
    func warmUp(_ requests: [ModelSpec.WarmUp]) async throws {
        for request in requests {
            do {
                try await self.warmUp(request)
            } catch {
                if Task.isCancelled { throw MartletError.loadAbandoned }
                throw MartletError(
                    "WarmUpFailed",
                    "the warm-up request '\(request.prompt)' failed: \(error)",
                    disposition: (error as? MartletError)?.disposition ?? .retryable,
                    cause: error
                )
            }
        }
    }

    private func warmUp(_ request: ModelSpec.WarmUp) async throws {
        guard self.description.generates else {
            _ = try await self.embed([request.prompt])
            return
        }
        var sampling = SamplingParameters()
        sampling.temperature = 0
        let events = try await self.complete(
            CompletionRequest(
                prompt: self.knowsChat
                    ? .chat([ChatMessage(role: "user", content: request.prompt)]) : .text(request.prompt),
                sampling: sampling,
                maxTokens: request.maxTokens
            ),
            priority: .normal
        )
        for try await event in events {
            if case .finished = event { return }
        }
        throw MartletError.aborted
    }

    private var knowsChat: Bool {
        switch self {
        case .language(let server): server.prompter.knowsChat
        case .completion: true
        case .tensor, .tensorService: false
        }
    }
}

extension MartletError {
    /// A model of tensors was asked to read or write text.
    fileprivate static func takesTensors(_ code: String, _ description: ModelDescription) -> MartletError {
        let inputs = description.tensors?.inputWords ?? ""
        return MartletError(
            code,
            "this model takes tensors (\(inputs)), not text; send them to /v2/models/{model}/infer"
        )
    }
}
