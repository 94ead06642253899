package import Planning
internal import Schema

/// Owns every loaded model of this process, by its key: loads, leases, watches over and unloads it. It holds no policy.
package final class InstancePool: Sendable {
    /// - Parameters:
    ///   - decodeDeadline: how long one step of a session may take before it counts as hung.
    ///   - closeDeadline: how long closing waits for a thread before it leaves it behind.
    ///   - clock: measures both.
    package init(
        decodeDeadline: Duration = .seconds(60),
        closeDeadline: Duration = .seconds(5),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        preconditionFailure("the pool's body follows")
    }

    /// Makes `spec.copies` copies of an instance ready: opens the model, or changes the number of copies, or replaces a
    /// failed one; then its warm-up requests must succeed.
    ///
    /// Concurrent calls for one key share one load. A cancelled call leaves a hanging engine call behind: it is
    /// counted, and should it ever return, its model is closed. Throws the engine's own error, `LoadAbandoned`,
    /// `InvalidOption`, `WarmUpFailed`.
    package func load(_ spec: InstanceSpec, opening: ModelOpening, engine: any InferenceEngine) async throws {
        preconditionFailure("the pool's body follows")
    }

    /// Gives an instance back, memory included. Nothing happens while it is leased or loading.
    package func unload(_ key: InstanceKey) async {}

    /// Claims a ready instance. Throws `InstanceMissing`, or `InstanceFailed` with the reason.
    package func lease(_ key: InstanceKey) throws -> InstanceLease {
        preconditionFailure("the pool's body follows")
    }

    /// Sends the instance's warm-up requests through once more. Throws `WarmUpFailed`.
    package func warmUp(_ key: InstanceKey) async throws {}

    /// Every instance as it is now. Weights count once, however many copies share them.
    package func observe() -> [InstanceKey: InstanceObservation] { [:] }

    /// Calls that hung and were left behind since the start of the process.
    package var abandonedCalls: Int { 0 }

    /// Yields when an instance died or hung by itself.
    package func changes() -> AsyncStream<Void> { AsyncStream { $0.finish() } }

    /// Looks for hung sessions until the task is cancelled. One such loop serves the whole pool.
    package func watch() async {}

    /// Closes everything; does not wait for a thread that hangs.
    package func shutdown() async {}

    func model(for key: InstanceKey) throws -> PooledModel {
        preconditionFailure("the pool's body follows")
    }

    func releaseLease(of key: InstanceKey) {}
}

/// A loaded model of the pool: tokens scheduled here, or a model that answers by itself.
enum PooledModel: Sendable {
    case language(LanguageModelServer)
    case completion(any CompletionModel)

    func complete(
        _ request: CompletionRequest,
        priority: RequestPriority
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        switch self {
        case .language(let server): try await server.complete(request, priority: priority)
        case .completion(let model): try await model.complete(request)
        }
    }

    func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        switch self {
        case .language(let server): try await server.embed(texts)
        case .completion(let model): try await model.embed(texts)
        }
    }
}
