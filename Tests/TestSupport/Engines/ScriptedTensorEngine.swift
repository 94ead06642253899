package import Planning
package import Schema

/// An engine of models of tensors without files: each path stands for a script.
///
///     let engine = ScriptedTensorEngine(models: ["/echo": .identity(.fp32)])
package struct ScriptedTensorEngine: InferenceEngine {
    /// One model: what it takes and gives, and how.
    package struct Script: Sendable {
        package var signature: TensorSignature
        /// Gets inputs by name that fit the signature, and gives all outputs. A long one asks whether it was aborted,
        /// and then throws.
        package var compute: @Sendable (_ inputs: [String: Tensor], _ isAborted: () -> Bool) throws -> [String: Tensor]

        package init(
            signature: TensorSignature,
            compute:
                @escaping @Sendable (_ inputs: [String: Tensor], _ isAborted: () -> Bool) throws -> [String: Tensor]
        ) {
            self.signature = signature
            self.compute = compute
        }
    }

    package let name = "scripted"
    package let version = "1"
    package let control: ScriptedControl
    private let models: [String: Script]

    /// - Parameter models: by the files that stand for them; no other file is a model.
    package init(models: [String: Script], control: ScriptedControl = ScriptedControl()) {
        self.models = models
        self.control = control
    }

    /// Knows no option.
    package func problems(inOptions options: [String: JSONValue]) -> [OptionProblem] {
        options.keys.sorted().map { OptionProblem(option: $0, message: "unknown option '\($0)'") }
    }

    package func open(_ opening: ModelOpening) throws -> LoadedModel {
        try self.control.load()
        if let problem = self.problems(inOptions: opening.options).first {
            throw MartletError("InvalidOption", problem.message)
        }
        guard let script = self.models[opening.file] else {
            throw MartletError("ModelUnreadable", "'\(opening.file)' is not a scripted model")
        }
        return .tensor(ScriptedTensorModel(script: script, control: self.control))
    }
}

extension ScriptedTensorEngine.Script {
    /// Gives `x` back as `y`, whatever its two sizes.
    package static func identity(_ datatype: TensorDatatype) -> Self {
        let signature = TensorSignature(
            inputs: [TensorDescription(name: "x", datatype: datatype, shape: [-1, -1])],
            outputs: [TensorDescription(name: "y", datatype: datatype, shape: [-1, -1])]
        )
        return Self(signature: signature) { inputs, _ in inputs["x"].map { ["y": $0] } ?? [:] }
    }

    /// Gives the `sum` and the `difference` of `a` and `b`, rows of three FP32 numbers.
    package static var sumAndDifference: Self {
        func row(_ name: String) -> TensorDescription {
            TensorDescription(name: name, datatype: .fp32, shape: [-1, 3])
        }
        let signature = TensorSignature(inputs: [row("a"), row("b")], outputs: [row("sum"), row("difference")])
        return Self(signature: signature) { inputs, _ in
            guard let (a, b) = inputs["a"].flatMap({ a in inputs["b"].map { (a, $0) } }), a.shape == b.shape else {
                throw MartletError("TensorInvalid", "'a' and 'b' have different shapes")
            }
            let pairs = Array(zip(a.elements(as: Float.self) ?? [], b.elements(as: Float.self) ?? []))
            return [
                "sum": Tensor(name: "sum", shape: a.shape, elements: pairs.map { $0 + $1 }),
                "difference": Tensor(name: "difference", shape: a.shape, elements: pairs.map { $0 - $1 }),
            ]
        }
    }

    /// Counts to `steps` one by one, and gives the `count`; both are INT64 without a shape.
    package static var count: Self {
        let signature = TensorSignature(
            inputs: [TensorDescription(name: "steps", datatype: .int64, shape: [])],
            outputs: [TensorDescription(name: "count", datatype: .int64, shape: [])]
        )
        return Self(signature: signature) { inputs, isAborted in
            let steps = inputs["steps"]?.elements(as: Int64.self)?.first ?? 0
            var count: Int64 = 0
            while count < steps {
                if isAborted() { throw MartletError("Aborted", "the session was aborted") }
                count += 1
            }
            return ["count": Tensor(name: "count", shape: [], elements: [count])]
        }
    }
}
