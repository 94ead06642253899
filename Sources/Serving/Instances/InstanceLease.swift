package import Planning
internal import Schema
internal import Synchronization

/// A runner's claim on an instance. While it stands, an eager instance stays loaded, and a lazy one is loaded for the
/// requests that need it.
///
/// The lease follows the key, not one loading of it: when a failed instance is loaded anew, requests go to the new one.
/// A lease that is dropped without ``release()`` is released.
package final class InstanceLease: CompletionModel {
    package let key: InstanceKey
    private let isEager: Bool
    private let pool: InstancePool
    private let isReleased = Mutex(false)
    private let onLoaded: @Sendable () -> Void
    private let hasToldOfLoad = Atomic(false)

    init(key: InstanceKey, isEager: Bool, pool: InstancePool, onLoaded: @escaping @Sendable () -> Void = {}) {
        self.key = key
        self.isEager = isEager
        self.pool = pool
        self.onLoaded = onLoaded
    }

    deinit {
        self.release()
    }

    /// What the model says of itself; next to nothing before it is loaded for the first time.
    package var description: ModelDescription { self.pool.description(of: self.key) ?? .unknown }

    /// Starts an answer on the least busy copy. Throws what ``CompletionModel/complete(_:)`` throws, `InstanceFailed`
    /// while the instance waits to be replaced, and `ModelNotLoaded`.
    package func complete(
        _ request: CompletionRequest,
        priority: RequestPriority
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        if self.isEager { return try await self.pool.model(for: self.key).complete(request, priority: priority) }
        let model = try await self.pool.beginUse(of: self.key)
        self.tellOfLoad()
        let (pool, key) = (self.pool, self.key)
        do {
            let events = try await model.complete(request, priority: priority)
            let (stream, output) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
            // Whoever reads the stream is the parent of what it is filled from: the end of one is the end of the other.
            let pump = Task {
                defer { pool.endUse(of: key) }
                do {
                    for try await event in events { output.yield(event) }
                    output.finish()
                } catch {
                    output.finish(throwing: error)
                }
            }
            output.onTermination = { _ in pump.cancel() }
            return stream
        } catch {
            pool.endUse(of: key)
            throw error
        }
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
        try await self.withModel { try await $0.answer(request, receive: receive) }
    }

    package func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        try await self.withModel { try await $0.embed(texts) }
    }

    package func countTokens(of texts: [String]) async throws -> Int? {
        try await self.withModel { try await $0.countTokens(of: texts) }
    }

    /// Does something with the model. The lease alone keeps an eager one; a lazy one is counted as in use meanwhile.
    ///
    /// - Parameter signal: ends the wait for a load.
    private func withModel<Result: Sendable>(
        until signal: EndSignal? = nil,
        _ body: (PooledModel) async throws -> Result
    ) async throws -> Result {
        guard !self.isEager else { return try await body(self.pool.model(for: self.key)) }
        return try await self.pool.withModel(of: self.key, until: signal) { model in
            self.tellOfLoad()
            return try await body(model)
        }
    }

    private func tellOfLoad() {
        guard !self.hasToldOfLoad.load(ordering: .relaxed) else { return }
        if !self.hasToldOfLoad.exchange(true, ordering: .relaxed) { self.onLoaded() }
    }

    /// What the model says of itself; a lazy one is loaded for it.
    func loadedDescription() async throws -> ModelDescription {
        if let known = self.pool.description(of: self.key) { return known }
        return try await self.withModel { $0.description }
    }

    /// Computes outputs of a model of tensors. The options' signal ends the wait for it too.
    func run(_ inputs: [Tensor], outputs: [String], options: TensorRunOptions) async throws -> TensorRunResult {
        try await self.withModel(until: options.signal) {
            try await $0.run(inputs, outputs: outputs, options: options)
        }
    }

    /// Ends the claim; done twice equals done once. Answers under way go on.
    package func release() {
        let wasReleased = self.isReleased.withLock { released in
            defer { released = true }
            return released
        }
        if !wasReleased { self.pool.releaseLease(of: self.key, isEager: self.isEager) }
    }

    /// The same as ``release()``: the model itself belongs to the pool.
    package func close() async {
        self.release()
    }
}

extension ModelDescription {
    /// Of a model that has not been opened.
    fileprivate static var unknown: ModelDescription {
        ModelDescription(architecture: "", weightBytes: 0, sessionBytes: 0)
    }
}
