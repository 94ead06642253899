/// A model of tensors that answers by itself: a server elsewhere, or a model here whose runs are scheduled. Safe to use
/// from any task.
package protocol TensorService: Sendable {
    /// With its signature as `tensors`.
    var description: ModelDescription { get }

    /// Computes outputs; many calls may be under way at once, and a cancelled one ends soon.
    ///
    /// - Parameters:
    ///   - inputs: all that the model takes, in any order.
    ///   - outputs: the names of the outputs to compute; all, in the model's order, where none is named.
    /// - Returns: the outputs in the order of their names.
    ///
    /// Throws `TensorInvalid` when the inputs or names are not the model's, `Aborted` once it is closed, `RunFailed`, and
    /// others.
    func run(_ inputs: [Tensor], outputs: [String]) async throws -> [Tensor]

    /// The servers that answer, for a model that is not here.
    var upstreams: [UpstreamObservation] { get }

    /// Asks ``upstreams`` how they are, until ``close()`` or until the task is cancelled; `changed` is called, from any
    /// thread, whenever one of them begins to cool down or answers again.
    func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async

    /// Gives everything back. Runs under way end with `Aborted`.
    func close() async
}

extension TensorService {
    package var upstreams: [UpstreamObservation] { [] }

    package func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async {}
}
