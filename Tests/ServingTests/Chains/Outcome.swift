/// What a throwing call came to, for tests that begin it with `async let` and look at its error later.
struct Outcome<Value: Sendable>: Sendable {
    let value: Value?
    let error: (any Error)?

    init(_ call: @Sendable () async throws -> Value) async {
        do {
            self.value = try await call()
            self.error = nil
        } catch {
            self.value = nil
            self.error = error
        }
    }
}
