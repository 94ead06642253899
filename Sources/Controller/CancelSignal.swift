/// Cancels one piece of work among many that share a parent.
struct CancelSignal: Sendable {
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    init() {
        (self.stream, self.continuation) = AsyncStream.makeStream()
    }

    func cancel() {
        self.continuation.finish()
    }

    /// Runs work as a child that ends early, cancelled, when ``cancel()`` is called.
    @concurrent
    func run<Output: Sendable>(_ work: @escaping @Sendable () async throws -> Output) async throws -> Output {
        try await withThrowingTaskGroup(of: Output?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                for await _ in self.stream {}
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let output = result { return output }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }
}
