package import Schema

/// What a model says of one of its inputs or outputs.
package struct TensorDescription: Sendable, Hashable, Codable {
    package var name: String
    package var datatype: TensorDatatype
    /// Its sizes, -1 where any will do; nil where even their number is open.
    package var shape: [Int]?

    package init(name: String, datatype: TensorDatatype, shape: [Int]?) {
        self.name = name
        self.datatype = datatype
        self.shape = shape
    }

    /// Whether a tensor of that shape is one of these.
    package func admits(_ shape: [Int]) -> Bool {
        guard let own = self.shape else { return true }
        return own.count == shape.count && zip(own, shape).allSatisfy { $0 == -1 || $0 == $1 }
    }

    /// The shape in words: `[2, ?]`.
    package var shapeWords: String {
        guard let shape = self.shape else { return "of any shape" }
        return "[\(shape.map { $0 == -1 ? "?" : "\($0)" }.joined(separator: ", "))]"
    }
}

/// The tensors that a model takes and gives.
package struct TensorSignature: Sendable, Hashable, Codable {
    /// All of them are needed for a run.
    package var inputs: [TensorDescription]
    /// In the model's order.
    package var outputs: [TensorDescription]

    package init(inputs: [TensorDescription], outputs: [TensorDescription]) {
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The inputs in words, for people: `X FP32 [?, 4]`.
    package var inputWords: String {
        self.inputs.map { "\($0.name) \($0.datatype.rawValue) \($0.shapeWords)" }.joined(separator: ", ")
    }

    /// Checks all that can be known of a run before it is made, and returns what it will give, in order.
    ///
    /// - Parameter outputs: the names of the outputs to compute; all where none is named.
    ///
    /// Throws `TensorInvalid`, which names the tensor, what was expected and what came.
    package func check(_ inputs: [Tensor], outputs: [String]) throws(MartletError) -> [TensorDescription] {
        var given: Set<String> = []
        for tensor in inputs {
            let description = try TensorSignature.find(tensor.name, among: self.inputs, "input")
            guard given.insert(tensor.name).inserted else {
                throw MartletError.tensorInvalid("input '\(tensor.name)' is given twice")
            }
            if let problem = TensorSignature.problem(with: tensor, as: description) {
                throw MartletError.tensorInvalid("input '\(tensor.name)' \(problem)")
            }
        }
        if let missing = self.inputs.first(where: { !given.contains($0.name) }) {
            throw MartletError.tensorInvalid("input '\(missing.name)' is missing; the model takes \(self.inputWords)")
        }
        guard !outputs.isEmpty else { return self.outputs }
        var wanted: Set<String> = []
        var found: [TensorDescription] = []
        for name in outputs {
            found.append(try TensorSignature.find(name, among: self.outputs, "output"))
            guard wanted.insert(name).inserted else {
                throw MartletError.tensorInvalid("output '\(name)' is asked for twice")
            }
        }
        return found
    }

    private static func problem(with tensor: Tensor, as description: TensorDescription) -> String? {
        guard tensor.datatype == description.datatype else {
            return "is \(tensor.datatype.rawValue) where the model takes \(description.datatype.rawValue)"
        }
        guard description.admits(tensor.shape) else {
            return "has the shape \(tensor.shape) where the model takes \(description.shapeWords)"
        }
        return tensor.problem
    }

    private static func find(
        _ name: String,
        among known: [TensorDescription],
        _ kind: String
    ) throws(MartletError) -> TensorDescription {
        if let found = known.first(where: { $0.name == name }) { return found }
        let names = known.map(\.name)
        let all = names.isEmpty ? "; it has none" : "; it has \(names.joined(separator: ", "))"
        let hint = NearestWord.hint(for: name, among: names, otherwise: all)
        throw MartletError.tensorInvalid("the model has no \(kind) '\(name)'\(hint)")
    }
}

extension MartletError {
    fileprivate static func tensorInvalid(_ message: String) -> MartletError {
        MartletError("TensorInvalid", message)
    }
}
