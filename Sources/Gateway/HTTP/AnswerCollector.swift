internal import Synchronization

/// Puts the events of an answer together that is sent whole, from whatever thread they come.
final class AnswerCollector<Value: Sendable, Event: Sendable>: Sendable {
    private struct State {
        var value: Value
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    private let add: @Sendable (inout Value, Event) throws -> Void

    /// - Parameter add: puts the next event to the others. Nothing more is put to them once it has thrown.
    init(_ value: Value, _ add: @escaping @Sendable (inout Value, Event) throws -> Void) {
        self.state = Mutex(State(value: value))
        self.add = add
    }

    func receive(_ event: Event) {
        self.state.withLock { state in
            guard state.failure == nil else { return }
            do {
                try self.add(&state.value, event)
            } catch {
                state.failure = error
            }
        }
    }

    /// What came of all events. Throws what putting them together threw.
    func get() throws -> Value {
        try self.state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.value
        }
    }
}
