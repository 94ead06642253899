internal import CEngine
package import Planning
internal import Schema

/// A model of tensors that a plugin engine opened.
package final class PluginTensorModel: TensorModel {
    package let description: ModelDescription
    package let signature: TensorSignature
    let functions: EngineTable.TensorFunctions
    private let handle: PluginHandle

    /// Throws `EngineUnusable` when the engine describes tensors that there cannot be.
    init(_ handle: PluginHandle, functions: EngineTable.TensorFunctions, description: martlet_description) throws {
        self.handle = handle
        self.functions = functions
        let library = handle.table.library
        let signature = try handle.use { model in
            func tensors(_ count: Int32, isInput: Bool) throws -> [TensorDescription] {
                try (0..<Int(max(count, 0))).map { index in
                    var found = martlet_tensor_description()
                    found.struct_size = UInt32(MemoryLayout<martlet_tensor_description>.size)
                    let status = functions.describeTensor(model, isInput, index, &found)
                    guard status == MARTLET_OK, let tensor = TensorDescription(found) else {
                        let kind = isInput ? "input" : "output"
                        throw EngineTable.unusable(library, "it does not describe \(kind) \(index) of its model")
                    }
                    return tensor
                }
            }
            return TensorSignature(
                inputs: try tensors(description.input_count, isInput: true),
                outputs: try tensors(description.output_count, isInput: false)
            )
        }
        self.signature = signature
        self.description = ModelDescription(
            architecture: handle.text(MARTLET_TEXT_ARCHITECTURE) ?? "unknown",
            weightBytes: description.weight_bytes,
            sessionBytes: description.session_bytes,
            tensors: signature
        )
    }

    deinit {
        self.close()
    }

    package func makeSession() throws -> any TensorSession {
        PluginTensorSession(model: self, handle: try PluginSessionHandle(of: self.handle))
    }

    package func close() {
        self.handle.close()
    }
}

extension TensorDescription {
    /// Copies what an engine says; nil where it makes no sense.
    fileprivate init?(_ tensor: martlet_tensor_description) {
        guard let name = tensor.name, let datatype = TensorDatatype(abi: tensor.datatype) else { return nil }
        guard tensor.shape != nil || tensor.rank == 0 else { return nil }
        let shape = UnsafeBufferPointer(start: tensor.shape, count: tensor.rank).map { Int($0) }
        guard shape.allSatisfy({ $0 >= -1 }) else { return nil }
        self.init(name: String(cString: name), datatype: datatype, shape: tensor.any_shape ? nil : shape)
    }
}
