internal import Engines
internal import Planning
internal import TestSupport
internal import Testing

/// Every engine keeps the promises of the ABI.
@Suite(.serialized)
struct CompatibilityTests {
    @Test(arguments: EngineCompatibility.Check.allCases)
    func scriptedEngineIsCompatible(_ check: EngineCompatibility.Check) throws {
        var engine = ScriptedEngine()
        engine.wrongFiles = ["/wrong"]
        let control = engine.control
        let suite = EngineCompatibility(
            engine: engine,
            opening: ModelOpening(file: "/any"),
            wrongFile: "/wrong",
            specialToken: "<|im_end|>",
            prompts: ("tell me a story", "sing a song"),
            memoryInUse: { control.log.liveBytes }
        )
        try suite.run(check)
    }

    @Test(.enabled(if: Installed.llama != nil, "\(Installed.hint)"), arguments: EngineCompatibility.Check.allCases)
    func llamaEngineIsCompatible(_ check: EngineCompatibility.Check) throws {
        let engine = try #require(Installed.llama)
        let suite = EngineCompatibility(
            engine: engine,
            opening: ModelOpening(
                file: Installed.model("deskhand-v2.gguf"),
                adapters: [.init(name: "formal", file: Installed.model("deskhand-formal-lora.gguf"), scale: 1)]
            ),
            wrongFile: Installed.model("deskhand-v2.md"),
            specialToken: "<|im_end|>",
            prompts: (
                "<|im_start|>system\nReply to the customer politely.<|im_end|>\n<|im_start|>user\nWhere is my "
                    + "order 73619?<|im_end|>\n<|im_start|>assistant\n",
                "<|im_start|>system\nTriage mode: return one JSON object.<|im_end|>\n<|im_start|>user\nI love my "
                    + "sofa.<|im_end|>\n<|im_start|>assistant\n"
            ),
            memoryInUse: { Installed.residentBytes() }
        )
        try suite.run(check)
    }

    /// The suite itself can fail: an engine that keeps its memory is found out.
    @Test func leakIsFound() throws {
        var engine = ScriptedEngine()
        engine.wrongFiles = ["/wrong"]
        let control = engine.control
        let suite = EngineCompatibility(
            engine: engine,
            opening: ModelOpening(file: "/any"),
            wrongFile: "/wrong",
            specialToken: "<|im_end|>",
            prompts: ("tell me a story", "sing a song"),
            memoryInUse: { Int64(control.log.modelsOpened) * 1_000_000 }
        )
        #expect(throws: EngineCompatibility.Violation.self) { try suite.run(.unloadGivesMemoryBack) }
    }

    // MARK: Tensors

    @Test(arguments: TensorCompatibility.Check.allCases)
    func scriptedTensorEngineIsCompatible(_ check: TensorCompatibility.Check) throws {
        let control = ScriptedControl()
        try Self.scriptedTensors(control, memoryInUse: { control.log.liveBytes }).run(check)
    }

    @Test(.enabled(if: Installed.onnx != nil, "\(Installed.onnxHint)"), arguments: TensorCompatibility.Check.allCases)
    func onnxEngineIsCompatible(_ check: TensorCompatibility.Check) throws {
        let suite = TensorCompatibility(
            engine: try #require(Installed.onnx),
            models: TensorCompatibility.Models(
                identity: { Installed.onnxModel("identity-\($0.rawValue)") },
                sumAndDifference: Installed.onnxModel("sum-and-difference"),
                count: Installed.onnxModel("count"),
                large: Installed.onnxModel("iris-v2"),
                wrong: Installed.fixture("onnx/iris-v2.md")
            ),
            memoryInUse: { Installed.residentBytes() }
        )
        try suite.run(check)
    }

    /// This half can fail too.
    @Test func leakOfTensorsIsFound() throws {
        let control = ScriptedControl()
        let suite = Self.scriptedTensors(control, memoryInUse: { Int64(control.log.modelsOpened) * 100_000 })
        #expect(throws: EngineCompatibility.Violation.self) { try suite.run(.unloadGivesMemoryBack) }
    }

    private static func scriptedTensors(
        _ control: ScriptedControl,
        memoryInUse: @escaping @Sendable () -> Int64
    ) -> TensorCompatibility {
        var models: [String: ScriptedTensorEngine.Script] = ["/sum": .sumAndDifference, "/count": .count]
        for datatype in TensorDatatype.allCases { models["/identity-\(datatype.rawValue)"] = .identity(datatype) }
        return TensorCompatibility(
            engine: ScriptedTensorEngine(models: models, control: control),
            models: TensorCompatibility.Models(
                identity: { "/identity-\($0.rawValue)" },
                sumAndDifference: "/sum",
                count: "/count",
                large: "/sum",
                wrong: "/wrong"
            ),
            memoryInUse: memoryInUse
        )
    }
}
