/// Says that an operation took longer than it may.
struct DeadlineExceeded: Error {}

/// Runs an operation, and cancels it when it takes longer than `limit`.
///
/// Throws ``DeadlineExceeded`` when the time is up, as soon as the cancelled operation has ended.
func withDeadline<Value: Sendable>(
    _ limit: Duration,
    clock: any Clock<Duration>,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await clock.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        guard let value = first else { throw DeadlineExceeded() }
        return value
    }
}
