internal import Planning
internal import Schema
internal import Synchronization

/// What a request for tensors wants besides its tensors.
struct TensorRunOptions: Sendable {
    var priority = RequestPriority.normal
    /// Nil: it runs alone, and waits for no other.
    var batching: EndpointSpec.Batching?
    /// Ends the request from outside; whoever waits for it gets the ``EarlyEnd``.
    var signal: EndSignal?
}

/// The outputs of a request for tensors, and what their making was like.
struct TensorRunResult: Sendable {
    var outputs: [Tensor]
    /// From the request's arrival at its model to the beginning of its run; nil where another server made it.
    var waited: Duration?
    /// How long the engine took, for the whole batch.
    var ran: Duration?
    /// The rows of the batch, told to one of its requests; nil for the others and where nothing is put together.
    var batchRows: Int?
}

/// Requests for tensors that run together.
struct TensorRun: Sendable {
    /// That of its first request.
    var id: TensorBatcher.RequestID
    var requests: [TensorBatcher.RequestID] = []
    var members: [TensorBatch.Member] = []
    /// When each request came.
    var arrivals: [Duration] = []
    /// Nil where nothing is put together.
    var rows: Int?
    let pulse = Pulse()

    /// Counts the beginnings and the ends of calls into the engine: it is odd during one.
    final class Pulse: Sendable {
        private let count = Atomic<UInt64>(0)

        var value: UInt64 { self.count.load(ordering: .relaxed) }

        func during<Value>(_ call: () throws -> Value) rethrows -> Value {
            self.count.add(1, ordering: .relaxed)
            defer { self.count.add(1, ordering: .relaxed) }
            return try call()
        }
    }
}
