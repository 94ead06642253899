internal import Engines
internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// The onnx engine with models as people have them.
@Suite(.enabled(if: Installed.onnx != nil, "\(Installed.onnxHint)"))
struct OnnxTests {
    /// The held-out flowers: four sizes of each, and its species.
    static func flowers() throws -> (sizes: [Float], species: [Int64]) {
        let text = try String(contentsOfFile: Installed.fixture("onnx/iris-heldout.csv"), encoding: .utf8)
        let rows = text.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
        return (
            try rows.flatMap { row in try row.prefix(4).map { try #require(Float($0)) } },
            try rows.map { try #require(Int64($0[4])) }
        )
    }

    @Test func irisIsAsGoodAsItsCardSays() throws {
        let model = try Installed.openTensors("iris-v2")
        defer { model.close() }
        #expect(
            model.signature
                == TensorSignature(
                    inputs: [TensorDescription(name: "X", datatype: .fp32, shape: [-1, 4])],
                    outputs: [
                        TensorDescription(name: "label", datatype: .int64, shape: [-1]),
                        TensorDescription(name: "probabilities", datatype: .fp32, shape: [-1, 3]),
                    ]
                )
        )
        #expect(model.description.architecture == "onnx")
        #expect(model.description.weightBytes > 0)
        let session = try model.makeSession()
        defer { session.close() }
        let (sizes, species) = try Self.flowers()
        let outputs = try session.run([Tensor(name: "X", shape: [species.count, 4], elements: sizes)])
        let labels = try #require(outputs[0].elements(as: Int64.self))
        #expect(labels.count == 60)
        #expect(zip(labels, species).count { $0 == $1 } == 58, "96.7 %")
        let probabilities = try #require(outputs[1].elements(as: Float.self))
        #expect(outputs[1].shape == [60, 3])
        for row in stride(from: 0, to: probabilities.count, by: 3) {
            #expect(abs(probabilities[row..<row + 3].reduce(0, +) - 1) < 1e-5)
        }
    }

    /// One by one, the answers are those of all at once.
    @Test(arguments: ["none", "basic", "extended", "all"])
    func optimizationChangesNoAnswer(_ level: String) throws {
        let model = try Installed.openTensors("iris-v2", options: ["optimization": .string(level)])
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        let (sizes, species) = try Self.flowers()
        let together = try session.run(
            [Tensor(name: "X", shape: [species.count, 4], elements: sizes)],
            outputs: ["label"]
        )
        let alone = try species.indices.flatMap { row in
            let flower = Tensor(name: "X", shape: [1, 4], elements: Array(sizes[4 * row..<4 * row + 4]))
            return try #require(try session.run([flower], outputs: ["label"])[0].elements(as: Int64.self))
        }
        #expect(together[0].elements(as: Int64.self) == alone)
    }

    @Test func shapeThatIsOpenTakesAny() throws {
        let model = try Installed.openTensors("any-shape")
        defer { model.close() }
        #expect(model.signature.inputs == [TensorDescription(name: "x", datatype: .fp32, shape: nil)])
        let session = try model.makeSession()
        defer { session.close() }
        for shape in [[], [2], [1, 2, 1, 3]] {
            let count = try #require(Tensor.count(of: shape))
            let tensor = Tensor(name: "x", shape: shape, elements: [Float](repeating: 1.5, count: count))
            #expect(try session.run([tensor]).map(\.shape) == [shape])
        }
    }

    /// Each reports its own memory, and not what the others take that load at the same time.
    @Test func modelsSideBySideTakeWhatEachTakesAlone() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let weights = Installed.onnxModel(adding: 4 << 20)
        // Files of their own: what one was measured to take says nothing about another one.
        let files = try (0..<6).map { number in
            let file = folder.appending(path: "\(number).onnx").path()
            try Data(weights).write(to: URL(filePath: file))
            return file
        }
        let alone = try await ProbeTests.probe(searchPath: Installed.searchPath).probe(
            engine: "onnx",
            opening: ModelOpening(file: files[0]),
            warmUp: []
        ).description.weightBytes
        #expect(alone >= 16 << 20)
        for _ in 0..<2 {
            let models = try await Self.openTogether(files)
            let sum = models.reduce(0) { $0 + $1.description.weightBytes }
            for model in models { model.close() }
            #expect(sum > alone * 6 * 9 / 10 && sum < alone * 6 * 3 / 2, "\(sum) of 6 · \(alone)")
        }
    }

    /// Opens files at the same time, each on a thread of its own, as opening blocks.
    private static func openTogether(_ files: [String]) async throws -> [any TensorModel] {
        try await withThrowingTaskGroup(of: (any TensorModel).self) { group in
            for file in files {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread.detachNewThread {
                            continuation.resume(with: Result { try Installed.openTensors(at: file) })
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func sequencesAreRefusedWithAWayOut() {
        let text = expectError("ModelUnsupported") { _ = try Installed.openTensors("sequence") }
        #expect(text.contains("output 'y' is a sequence"))
        #expect(text.contains("'zipmap': False"))
    }

    @Test func errorOfARunKeepsItsSentence() throws {
        let model = try Installed.openTensors("numbers")
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        func run(_ end: Int64, _ step: Int64) throws -> [Int64]? {
            let inputs = [
                Tensor(name: "end", shape: [], elements: [end]), Tensor(name: "step", shape: [], elements: [step]),
            ]
            return try session.run(inputs)[0].elements()
        }
        #expect(try run(5, 2) == [0, 2, 4])
        let text = expectError("TensorInvalid") { _ = try run(5, 0) }
        #expect(text.contains("delta in Range operator can not be zero"))
        #expect(try run(0, 1) == [])
    }

    @Test func wrongOptionIsNamed() {
        let text = expectError("InvalidOption") {
            _ = try Installed.openTensors("iris-v2", options: ["optimization": 3])
        }
        #expect(text.contains("'optimization' must be one of none, basic, extended, all"))
    }

    @Test func adaptersAreRefused() throws {
        let onnx = try #require(Installed.onnx)
        let file = Installed.onnxModel("iris-v2")
        let opening = ModelOpening(file: file, adapters: [.init(name: "formal", file: file, scale: 1)])
        expectError("ModelUnsupported") { _ = try onnx.open(opening) }
    }

    /// The second one cannot work on zeros, which is no reason to refuse it.
    @Test(arguments: ["iris-v2", "numbers", "any-shape", "identity-BYTES"])
    func modelIsProbed(_ name: String) async throws {
        let report = try await ProbeTests.probe(searchPath: Installed.searchPath).probe(
            engine: "onnx",
            opening: ModelOpening(file: Installed.onnxModel(name)),
            warmUp: []
        )
        #expect(report.description.tensors?.inputs.isEmpty == false)
        #expect(report.measuredBytes > 0)
    }
}
