package import Planning
internal import Schema

/// What every engine with models of tensors must do, whatever computes it; the other half of ``EngineCompatibility``.
///
///     @Test(arguments: TensorCompatibility.Check.allCases)
///     func compatible(_ check: TensorCompatibility.Check) throws { try self.suite.run(check) }
package struct TensorCompatibility: Sendable {
    /// One promise of the engine ABI.
    package enum Check: String, Sendable, Hashable, CaseIterable {
        case loadsTwice
        case unloadGivesMemoryBack
        case wrongFileIsAnError
        case unknownOptionIsAnError
        case modelIsDescribed
        case everyDatatypeComesBack
        case shapesAreDynamic
        case emptyTensorsComeBack
        case textsComeBack
        case scalarsHaveNoShape
        case outputsComeByNameAndInOrder
        case wrongTensorsAreNamed
        case sessionsDoNotDisturbEachOther
        case abortEndsARun
        case closedModelRefuses
        case closedSessionRefuses
    }

    /// The files of the models that the checks ask.
    package struct Models: Sendable {
        /// `x` comes back as `y`; two sizes, both open.
        package var identity: @Sendable (TensorDatatype) -> String
        /// `sum` and `difference` of `a` and `b`, FP32 with the shape [?, 3].
        package var sumAndDifference: String
        /// Counts to `steps` one by one and gives the `count`, both INT64 without a shape.
        package var count: String
        /// Any model that takes enough memory to be seen, and inputs of zeros.
        package var large: String
        /// A file that is no model.
        package var wrong: String

        package init(
            identity: @escaping @Sendable (TensorDatatype) -> String,
            sumAndDifference: String,
            count: String,
            large: String,
            wrong: String
        ) {
            self.identity = identity
            self.sumAndDifference = sumAndDifference
            self.count = count
            self.large = large
            self.wrong = wrong
        }
    }

    package var engine: any InferenceEngine
    package var models: Models
    /// The memory that counts, in bytes; what a model takes must be seen in it.
    package var memoryInUse: @Sendable () -> Int64

    package init(engine: any InferenceEngine, models: Models, memoryInUse: @escaping @Sendable () -> Int64) {
        self.engine = engine
        self.models = models
        self.memoryInUse = memoryInUse
    }

    /// Runs one check. Throws ``EngineCompatibility/Violation`` when the promise is broken.
    package func run(_ check: Check) throws {
        switch check {
        case .loadsTwice: try self.loadsTwice()
        case .unloadGivesMemoryBack: try self.unloadGivesMemoryBack()
        case .wrongFileIsAnError: try self.wrongFileIsAnError()
        case .unknownOptionIsAnError: try self.unknownOptionIsAnError()
        case .modelIsDescribed: try self.modelIsDescribed()
        case .everyDatatypeComesBack: try self.everyDatatypeComesBack()
        case .shapesAreDynamic: try self.shapesAreDynamic()
        case .emptyTensorsComeBack: try self.emptyTensorsComeBack()
        case .textsComeBack: try self.textsComeBack()
        case .scalarsHaveNoShape: try self.scalarsHaveNoShape()
        case .outputsComeByNameAndInOrder: try self.outputsComeByNameAndInOrder()
        case .wrongTensorsAreNamed: try self.wrongTensorsAreNamed()
        case .sessionsDoNotDisturbEachOther: try self.sessionsDoNotDisturbEachOther()
        case .abortEndsARun: try self.abortEndsARun()
        case .closedModelRefuses: try self.closedModelRefuses()
        case .closedSessionRefuses: try self.closedSessionRefuses()
        }
    }

    func openModel(_ file: String) throws -> any TensorModel {
        guard case .tensor(let model) = try self.engine.open(ModelOpening(file: file)) else {
            throw EngineCompatibility.Violation(description: "the engine opened no model of tensors")
        }
        return model
    }

    /// Opens a model and a session, and closes both after the body.
    func withSession<Value>(
        of file: String,
        _ body: (any TensorModel, any TensorSession) throws -> Value
    ) throws -> Value {
        let model = try self.openModel(file)
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        return try body(model, session)
    }

    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        try EngineCompatibility.require(condition, what())
    }
}
