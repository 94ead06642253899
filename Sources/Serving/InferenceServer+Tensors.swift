internal import Planning
internal import Schema

// What models of tensors are asked.
extension InferenceServer {
    /// The call's own task waits for its run: no stream, and no task beside it. Timers are shared by all requests.
    package func tensors(_ call: EndpointCall<TensorRequest>) async throws -> TensorAnswer {
        let request = call.body
        let waiting = Waiting(priority: request.priority, timeout: request.timeout, sharing: Self.sharing)
        let admitted = try await self.admit(call, recording: request, waiting: waiting) { program throws(CallError) in
            guard let model = program.servedModel else {
                throw CallError(
                    .invalidInput,
                    "the endpoint serves a chain, which takes no tensors",
                    parameter: "model"
                )
            }
            return model
        }
        defer { admitted.route.runner.leave(admitted.seat.request) }
        let result: Result<TensorRunResult, any Error>
        do {
            result = .success(try await self.run(request, of: admitted))
        } catch {
            result = .failure(error is CancellationError ? error : CallError(mapping: error))
        }
        let error: (any Error)?
        switch result {
        case .success(let run):
            admitted.meter.observe(run)
            admitted.draft?.observe(run.outputs)
            error = await self.settle(admitted, with: nil)
        case .failure(let failure): error = await self.settle(admitted, with: failure)
        }
        if let error { throw error }
        return TensorAnswer(stamp: admitted.stamp, outputs: try result.get().outputs)
    }

    private func run(
        _ request: TensorRequest,
        of admitted: Admitted<ResourceIdentity>
    ) async throws -> TensorRunResult {
        guard let lease = admitted.seat.models[admitted.work] as? InstanceLease else {
            throw CallError(.unavailable, "the model is not loaded", retryAfter: 1)
        }
        let settings = admitted.route.settings
        let own = request.timeout.flatMap { $0 < settings.limits.timeout.duration ? $0 : nil }
        let limit = own ?? settings.limits.timeout.duration
        let timer = self.startTimer(of: admitted, limit: limit)
        defer { self.pool.timers.cancel(timer) }
        let options = TensorRunOptions(
            priority: request.priority,
            batching: settings.batching,
            signal: admitted.seat.signal
        )
        do {
            return try await lease.run(request.inputs, outputs: request.outputs, options: options)
        } catch let end as EarlyEnd {
            let words = own.map { "it asked for (\($0))" } ?? "the endpoint allows (\(settings.limits.timeout))"
            throw end.error(limit: words)
        }
    }

    /// Requests that one copy of a model takes in at once: a batch that runs and one that fills up; or, where none are
    /// put together, some that wait within the model, so that a thread that has finished one finds the next at once.
    private static func sharing(_ settings: EndpointSettings) -> Int {
        max(2 * (settings.batching?.maxSize ?? 1), 32)
    }
}
