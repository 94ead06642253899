package import Planning
internal import Schema

/// Serves requests from a model of tensors: runs them on threads of their own, never on those of the callers.
package final class TensorModelServer: TensorService {
    package let description: ModelDescription
    private let model: any TensorModel
    private let calls: BlockingCalls

    init(model: any TensorModel, calls: BlockingCalls) {
        self.description = model.description
        self.model = model
        self.calls = calls
    }

    package func run(_ inputs: [Tensor], outputs: [String]) async throws -> [Tensor] {
        _ = try self.model.signature.check(inputs, outputs: outputs)
        let session = try self.model.makeSession()
        return try await withTaskCancellationHandler {
            try await self.calls.run("martlet-tensors", discard: { _ in }) {
                defer { session.close() }
                return try session.run(inputs, outputs: outputs)
            }
        } onCancel: {
            session.abort()
        }
    }

    package func close() async {
        self.model.close()
    }
}
