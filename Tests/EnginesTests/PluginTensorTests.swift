internal import Engines
internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

/// The Swift side of the C ABI for tensors, against an engine that does what its file says.
struct PluginTensorTests {
    static func open(_ behaviour: String) throws -> any TensorModel {
        let engine = try EngineDirectory(searchPath: [try FaultyEngine.folder()]).engine(named: "faulty")
        guard case .tensor(let model) = try engine.open(ModelOpening(file: try FaultyEngine.model(behaviour))) else {
            throw MartletError("WrongKind", "no model of tensors")
        }
        return model
    }

    static let numbers = Tensor(name: "x", shape: [3], elements: [1, 2, 3] as [Float])
    static let texts = Tensor(name: "x", shape: [2], texts: ["a", "bc"])

    @Test func modelIsDescribed() throws {
        let model = try Self.open("tensors")
        defer { model.close() }
        #expect(
            model.signature
                == TensorSignature(
                    inputs: [TensorDescription(name: "x", datatype: .fp32, shape: [-1])],
                    outputs: [TensorDescription(name: "y", datatype: .fp32, shape: [-1])]
                )
        )
        #expect(model.description.architecture == "faulty")
        #expect(model.description.tensors == model.signature)
        #expect(model.description.weightBytes == 64)
    }

    @Test(arguments: [("tensors", PluginTensorTests.numbers), ("tensors-bytes", PluginTensorTests.texts)])
    func tensorsComeBack(_ behaviour: String, _ tensor: Tensor) throws {
        let model = try Self.open(behaviour)
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        var expected = tensor
        expected.name = "y"
        #expect(try session.run([tensor]) == [expected])
        #expect(try session.run([tensor], outputs: ["y"]) == [expected])
    }

    /// What an engine gives is looked at before anybody else gets it.
    @Test(arguments: [
        ("tensors-failing", PluginTensorTests.numbers, "the model cannot be run: the graph is tired"),
        ("tensors-missing", PluginTensorTests.numbers, "the engine gave no output 'y'"),
        ("tensors-renamed", PluginTensorTests.numbers, "another tensor in the place of output 'y'"),
        ("tensors-retyped", PluginTensorTests.numbers, "the datatype INT64, the model says FP32"),
        ("tensors-short", PluginTensorTests.numbers, "output 'y' has 11 bytes where its shape [3] of FP32 needs 12"),
        ("tensors-negative", PluginTensorTests.numbers, "where a size is negative"),
        ("tensors-shapeless", PluginTensorTests.numbers, "without its shape"),
        ("tensors-torn", PluginTensorTests.texts, "output 'y' ends within text 1"),
    ])
    func whatIsNotWholeIsAnError(_ behaviour: String, _ tensor: Tensor, _ words: String) throws {
        let model = try Self.open(behaviour)
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        let text = expectError("RunFailed") { _ = try session.run([tensor]) }
        #expect(text.contains(words), "\(text)")
    }

    @Test func resultThatIsNoneIsAnError() throws {
        let model = try Self.open("tensors-nothing")
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        expectError("EngineUnusable") { _ = try session.run([Self.numbers]) }
    }

    @Test func unknownDatatypeOfAModelIsAnError() {
        let text = expectError("EngineUnusable") { _ = try Self.open("tensors-undescribed") }
        #expect(text.contains("it does not describe input 0 of its model"))
    }

    @Test func modelOutlivesItsClosingWhileASessionIsOpen() throws {
        let model = try Self.open("tensors")
        let session = try model.makeSession()
        model.close()
        #expect(try session.run([Self.numbers]).count == 1)
        session.close()
        expectError("SessionClosed") { _ = try session.run([Self.numbers]) }
        expectError("ModelClosed") { _ = try model.makeSession() }
    }

    @Test func abortEndsARun() async throws {
        let model = try Self.open("tensors-hanging")
        defer { model.close() }
        let session = try model.makeSession()
        defer { session.close() }
        let error = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let result = Result { try session.run([Self.numbers]) }
                continuation.resume(returning: result.failure as? MartletError)
            }
            session.abort()
        }
        #expect(error?.code == "Aborted")
        expectError("Aborted") { _ = try session.run([Self.numbers]) }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
