package import Planning
internal import Schema
internal import Synchronization

/// A runner's claim on an instance: while it stands, the instance is not unloaded.
///
/// The lease follows the key, not one loading of it: when a failed instance is loaded anew, requests go to the new one.
/// A lease that is dropped without ``release()`` is released.
package final class InstanceLease: CompletionModel {
    package let key: InstanceKey
    /// What the model said of itself when it was leased.
    package let description: ModelDescription
    private let pool: InstancePool
    private let isReleased = Mutex(false)

    init(key: InstanceKey, description: ModelDescription, pool: InstancePool) {
        self.key = key
        self.description = description
        self.pool = pool
    }

    deinit {
        self.release()
    }

    /// Starts an answer on the least busy copy. Throws what ``CompletionModel/complete(_:)`` throws, and
    /// `InstanceFailed` while the instance waits to be replaced.
    package func complete(
        _ request: CompletionRequest,
        priority: RequestPriority
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        try await self.pool.model(for: self.key).complete(request, priority: priority)
    }

    package func complete(
        _ request: CompletionRequest
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        try await self.complete(request, priority: .normal)
    }

    package func answer(
        _ request: CompletionRequest,
        receive: @escaping @Sendable (CompletionEvent) -> Void
    ) async throws {
        try await self.pool.model(for: self.key).answer(request, receive: receive)
    }

    package func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        try await self.pool.model(for: self.key).embed(texts)
    }

    /// Computes outputs of a model of tensors.
    func run(_ inputs: [Tensor], outputs: [String]) async throws -> [Tensor] {
        try await self.pool.model(for: self.key).run(inputs, outputs: outputs)
    }

    /// Ends the claim; done twice equals done once. Answers under way go on.
    package func release() {
        let wasReleased = self.isReleased.withLock { released in
            defer { released = true }
            return released
        }
        if !wasReleased { self.pool.releaseLease(of: self.key) }
    }

    /// The same as ``release()``: the model itself belongs to the pool.
    package func close() async {
        self.release()
    }
}
