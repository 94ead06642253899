package import Planning
internal import Schema

/// What every engine with a language model must do, whatever computes it.
///
/// A test suite runs each ``Check`` as a case of its own:
///
///     @Test(arguments: EngineCompatibility.Check.allCases)
///     func compatible(_ check: EngineCompatibility.Check) throws { try self.suite.run(check) }
package struct EngineCompatibility: Sendable {
    /// One promise of the engine ABI.
    package enum Check: String, Sendable, Hashable, CaseIterable {
        case loadsTwice
        case unloadGivesMemoryBack
        case wrongFileIsAnError
        case unknownOptionIsAnError
        case parseSpecialIsHonoured
        case abortEndsDecoding
        case sessionsDoNotDisturbEachOther
        case sequencesAreIsolated
        case removedTokensAreForgotten
        case copiedTokensAreShared
        case closedModelRefuses
        case badBatchIsAnError
        case unknownAdapterIsAnError
        case logProbabilitiesAreOrdered
    }

    package var engine: any InferenceEngine
    package var opening: ModelOpening
    /// A file that the engine must refuse.
    package var wrongFile: String
    /// A special token of the vocabulary, as it is spelt.
    package var specialToken: String
    /// Two prompts that lead to different answers.
    package var prompts: (String, String)
    /// The memory that counts, in bytes; what one model takes must be seen in it.
    package var memoryInUse: @Sendable () -> Int64

    package init(
        engine: any InferenceEngine,
        opening: ModelOpening,
        wrongFile: String,
        specialToken: String,
        prompts: (String, String),
        memoryInUse: @escaping @Sendable () -> Int64
    ) {
        self.engine = engine
        self.opening = opening
        self.wrongFile = wrongFile
        self.specialToken = specialToken
        self.prompts = prompts
        self.memoryInUse = memoryInUse
    }

    /// Runs one check. Throws ``Violation`` when the promise is broken.
    package func run(_ check: Check) throws {
        switch check {
        case .loadsTwice: try self.loadsTwice()
        case .unloadGivesMemoryBack: try self.unloadGivesMemoryBack()
        case .wrongFileIsAnError: try self.wrongFileIsAnError()
        case .unknownOptionIsAnError: try self.unknownOptionIsAnError()
        case .parseSpecialIsHonoured: try self.parseSpecialIsHonoured()
        case .abortEndsDecoding: try self.abortEndsDecoding()
        case .sessionsDoNotDisturbEachOther: try self.sessionsDoNotDisturbEachOther()
        case .sequencesAreIsolated: try self.sequencesAreIsolated()
        case .removedTokensAreForgotten: try self.removedTokensAreForgotten()
        case .copiedTokensAreShared: try self.copiedTokensAreShared()
        case .closedModelRefuses: try self.closedModelRefuses()
        case .badBatchIsAnError: try self.badBatchIsAnError()
        case .unknownAdapterIsAnError: try self.unknownAdapterIsAnError()
        case .logProbabilitiesAreOrdered: try self.logProbabilitiesAreOrdered()
        }
    }

    /// A broken promise, in words.
    package struct Violation: Error, CustomStringConvertible {
        package var description: String
    }

    static func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        guard condition else { throw Violation(description: what()) }
    }

    /// Requires a `MartletError` with one of these codes and a sentence.
    static func requireError(_ codes: [String], _ what: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as MartletError {
            try self.require(codes.contains(error.code), "\(what): the code is \(error.code), not one of \(codes)")
            try self.require(!error.message.isEmpty, "\(what): the error has no message")
            return
        }
        throw Violation(description: "\(what): there was no error")
    }

    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        try Self.require(condition, what())
    }

    func requireError(_ codes: [String], _ what: String, _ body: () throws -> Void) throws {
        try Self.requireError(codes, what, body)
    }

    func openModel() throws -> any LanguageModel {
        guard case .language(let model) = try self.engine.open(self.opening) else {
            throw Violation(description: "the engine opened no language model")
        }
        return model
    }

    /// Opens a model and a session, and closes both after the body.
    func withSession<Value>(_ body: (any LanguageModel, any LanguageSession) throws -> Value) throws -> Value {
        let model = try self.openModel()
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        return try body(model, session)
    }
}
