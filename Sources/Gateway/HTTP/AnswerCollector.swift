internal import Synchronization

/// Puts the events of an answer together that is sent whole, from whatever thread they come.
final class AnswerCollector<Value: Sendable, Event: Sendable>: Sendable {
    private let state: Mutex<Value>
    private let add: @Sendable (inout Value, Event) throws -> Void

    /// - Parameter add: puts the next event to the others.
    init(_ value: Value, _ add: @escaping @Sendable (inout Value, Event) throws -> Void) {
        self.state = Mutex(value)
        self.add = add
    }

    /// Takes the next event. Throws what putting it to the others throws.
    func receive(_ event: Event) throws {
        try self.state.withLock { try self.add(&$0, event) }
    }

    /// What has come of the events so far.
    var value: Value { self.state.withLock { $0 } }
}
