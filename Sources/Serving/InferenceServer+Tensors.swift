internal import Planning
internal import Schema

/// The tensors of one call, on their way to the caller.
struct TensorEvent: AnswerEvent {
    var outputs: [Tensor]

    var hasText: Bool { false }
    var finalUsage: TokenUsage? { nil }
}

// What models of tensors are asked.
extension InferenceServer {
    package func tensors(_ call: EndpointCall<TensorRequest>) async throws -> TensorAnswer {
        let request = call.body
        let (stamp, events) = try await self.answer(call) { program throws(CallError) -> Work<TensorEvent> in
            switch program {
            case .chain:
                throw CallError(
                    .invalidInput,
                    "the endpoint serves a chain, which takes no tensors",
                    parameter: "model"
                )
            case .model(let model):
                { models, emit in
                    guard let lease = models[model] as? InstanceLease else {
                        throw CallError(.unavailable, "the model is not loaded", retryAfter: 1)
                    }
                    let outputs = try await withDeadline(request.timeout, clock: self.clock) {
                        try await lease.run(request.inputs, outputs: request.outputs)
                    }
                    emit(TensorEvent(outputs: outputs))
                }
            }
        }
        for try await event in events { return TensorAnswer(stamp: stamp, outputs: event.outputs) }
        throw CancellationError()
    }
}
