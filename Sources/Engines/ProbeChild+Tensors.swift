internal import Planning
internal import Schema
internal import Subprocess

extension ProbeChild {
    /// Zeros of more bytes than this are not made up.
    private static let zeroLimit = 1 << 28

    /// Runs a model of tensors once, so that what a run allocates is measured, and a model that takes the process down is
    /// found out here. Where any size will do, it is 1.
    ///
    /// Zeros may be nothing that the model can work on: an error of the run itself is no reason to refuse the model.
    static func runOnZeros(_ model: any TensorModel) throws {
        let session = try model.makeSession()
        defer { session.close() }
        guard let inputs = ProbeChild.zeros(for: model.signature) else { return }
        do {
            _ = try session.run(inputs)
        } catch let error as MartletError {
            ChildService.complain("a run on zeros: \(error)")
        }
    }

    /// Inputs of zeros and empty texts; nil where they would be too large.
    private static func zeros(for signature: TensorSignature) -> [Tensor]? {
        var left = ProbeChild.zeroLimit
        var tensors: [Tensor] = []
        for input in signature.inputs {
            let shape = (input.shape ?? [1]).map { $0 == -1 ? 1 : $0 }
            // An empty text is its length, which is 0.
            let width = input.datatype.width ?? MemoryLayout<UInt32>.size
            guard let count = Tensor.count(of: shape), count <= left / width else { return nil }
            left -= count * width
            let bytes = [UInt8](repeating: 0, count: count * width)
            tensors.append(Tensor(name: input.name, datatype: input.datatype, shape: shape, bytes: bytes))
        }
        return tensors
    }
}
