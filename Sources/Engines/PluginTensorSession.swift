internal import CEngine
package import Planning
internal import Schema

/// A session of a plugin engine's model of tensors. One thread drives it; only ``abort()`` may come from another.
package final class PluginTensorSession: TensorSession {
    private let model: PluginTensorModel
    private let handle: PluginSessionHandle

    init(model: PluginTensorModel, handle: PluginSessionHandle) {
        self.model = model
        self.handle = handle
    }

    deinit {
        self.close()
    }

    package func run(_ inputs: [Tensor], outputs: [String]) throws -> [Tensor] {
        let expected = try self.model.signature.check(inputs, outputs: outputs)
        let session = try self.handle.session()
        let functions = self.model.functions
        let names = CStrings()
        let wanted = expected.map { names.copy($0.name) }
        var result: EngineTable.TensorResult?
        do throws(EngineFailure) {
            try inputs.withEngineTensors { tensors throws(EngineFailure) in
                try EngineFailure.check {
                    functions.runTensors(session, tensors, tensors.count, wanted, wanted.count, &result, $0)
                }
            }
        } catch {
            let code = error.status == MARTLET_INVALID ? "TensorInvalid" : "RunFailed"
            throw error.error(code, "the model cannot be run")
        }
        withExtendedLifetime(names) {}
        guard let result else {
            throw EngineTable.unusable(self.handle.table.library, "it ran a model, gave no result and no reason")
        }
        defer { functions.releaseResult(result) }
        return try expected.enumerated().map { try self.output($1, at: $0, of: result) }
    }

    package func abort() {
        self.handle.abort()
    }

    package func close() {
        self.handle.close()
    }

    /// Copies one tensor of a result. What an engine gives is checked like what a caller gives.
    private func output(
        _ expected: TensorDescription,
        at index: Int,
        of result: EngineTable.TensorResult
    ) throws -> Tensor {
        var found = martlet_tensor()
        guard self.model.functions.resultTensor(result, index, &found) == MARTLET_OK else {
            throw PluginTensorSession.fault("the engine gave no output '\(expected.name)'")
        }
        guard let name = found.name.map({ String(cString: $0) }), name == expected.name else {
            throw PluginTensorSession.fault("the engine gave another tensor in the place of output '\(expected.name)'")
        }
        guard TensorDatatype(abi: found.datatype) == expected.datatype else {
            throw PluginTensorSession.fault(
                "output '\(name)' came with the datatype \(TensorDatatype.words(abi: found.datatype)), the model "
                    + "says \(expected.datatype.rawValue)"
            )
        }
        guard found.shape != nil || found.rank == 0, found.data != nil || found.length == 0 else {
            throw PluginTensorSession.fault("output '\(name)' came without its shape or its data")
        }
        // Models are often wrong about the shapes of their outputs, so that is not compared.
        let tensor = Tensor(
            name: name,
            datatype: expected.datatype,
            shape: UnsafeBufferPointer(start: found.shape, count: found.rank).map { Int($0) },
            bytes: [UInt8](UnsafeRawBufferPointer(start: found.data, count: found.length))
        )
        if let problem = tensor.problem { throw PluginTensorSession.fault("output '\(name)' \(problem)") }
        return tensor
    }

    private static func fault(_ message: String) -> MartletError {
        MartletError("RunFailed", message)
    }
}

extension [Tensor] {
    /// Lends the tensors to an engine for one call.
    fileprivate func withEngineTensors(
        _ body: ([martlet_tensor]) throws(EngineFailure) -> Void
    ) throws(EngineFailure) {
        let names = CStrings()
        let sizes = self.flatMap { $0.shape.map(Int64.init) }
        let outcome = sizes.withUnsafeBufferPointer { sizes -> Result<Void, EngineFailure> in
            var tensors: [martlet_tensor] = []
            var start = 0
            for tensor in self {
                tensors.append(
                    martlet_tensor(
                        name: names.copy(tensor.name),
                        datatype: tensor.datatype.abi,
                        shape: sizes.baseAddress?.advanced(by: start),
                        rank: tensor.shape.count,
                        data: nil,
                        length: tensor.bytes.count
                    )
                )
                start += tensor.shape.count
            }
            return self[...].withData(for: tensors, body)
        }
        withExtendedLifetime(names) {}
        try outcome.get()
    }
}

extension ArraySlice<Tensor> {
    /// Adds the data of these tensors, the last ones of `tensors`, and calls the body while all of it is lent: one call
    /// within another for each.
    fileprivate func withData(
        for tensors: [martlet_tensor],
        _ body: ([martlet_tensor]) throws(EngineFailure) -> Void
    ) -> Result<Void, EngineFailure> {
        guard let first = self.first else {
            return Result { () throws(EngineFailure) in try body(tensors) }
        }
        return first.bytes.withUnsafeBytes { bytes in
            var tensors = tensors
            tensors[tensors.count - self.count].data = bytes.baseAddress
            return self.dropFirst().withData(for: tensors, body)
        }
    }
}
