/// A model that takes named tensors and gives named tensors. Safe to use from any thread.
package protocol TensorModel: Sendable {
    /// With ``signature`` as its `tensors`.
    var description: ModelDescription { get }

    /// The tensors that it takes and gives.
    var signature: TensorSignature { get }

    /// Opens a session: what one run at a time needs. Blocks while it allocates.
    func makeSession() throws -> any TensorSession

    /// Gives the memory back. Sessions must be closed first; calls after it throw.
    func close()
}

/// What runs a model, one run after the other. Driven by one thread; only ``abort()`` may come from any other.
package protocol TensorSession: AnyObject, Sendable {
    /// Computes outputs; blocks.
    ///
    /// - Parameters:
    ///   - inputs: all that the model takes, in any order.
    ///   - outputs: the names of the outputs to compute; all, in the model's order, where none is named.
    /// - Returns: the outputs in the order of their names.
    ///
    /// Throws `TensorInvalid` when the inputs or names are not the model's, `Aborted` after ``abort()``, `RunFailed` when
    /// the engine reports a fault.
    func run(_ inputs: [Tensor], outputs: [String]) throws -> [Tensor]

    /// Makes a running ``run(_:outputs:)`` return within 50 ms, and later ones throw. May be called from any thread.
    func abort()

    /// Gives what the session holds back.
    func close()
}

extension TensorSession {
    /// Computes all outputs.
    package func run(_ inputs: [Tensor]) throws -> [Tensor] {
        try self.run(inputs, outputs: [])
    }
}
