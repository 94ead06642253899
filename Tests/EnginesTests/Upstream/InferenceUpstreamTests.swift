internal import Foundation
internal import Planning
internal import Schema
internal import TestSupport
internal import Testing

@testable internal import Engines

/// A server that speaks the Open Inference Protocol as a model of tensors.
@Suite(.timeLimit(.minutes(2)))
struct InferenceUpstreamTests {
    private static let metadata = """
        {"name":"iris","inputs":[{"name":"X","datatype":"FP32","shape":[-1,2]}],\
        "outputs":[{"name":"label","datatype":"INT64","shape":[-1]},{"name":"name","datatype":"BYTES","shape":[-1]}]}
        """
    private static let inputs = [Tensor(name: "X", shape: [1, 2], elements: [1.5, -2] as [Float])]
    private static let outputs = [
        Tensor(name: "label", shape: [1], elements: [7] as [Int64]), Tensor(name: "name", shape: [1], texts: ["ä"]),
    ]

    private static func model(_ urls: [String]) throws -> any TensorService {
        let members = urls.map { UpstreamSet.Member(url: $0, model: "iris v1", retries: 0) }
        let opening = ModelOpening(file: "", upstreams: UpstreamSet(members: members))
        guard case .tensorService(let model) = try UpstreamEngine(.openInference, secret: { _ in [] }).open(opening)
        else { throw MartletError("NoTensors", "the engine opened something else") }
        return model
    }

    /// Opening blocks, so that it has a thread of its own, as in the pool.
    private static func opened(_ urls: [String]) async throws -> any TensorService {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try Self.model(urls) }) }
        }
    }

    private static func serving(
        _ answer: @escaping ScriptedUpstream.Script,
        _ body: (ScriptedUpstream, any TensorService) async throws -> Void
    ) async throws {
        try await ScriptedUpstream.run { request, connection in
            guard request.method == "POST" else { return try await connection.answer(Self.metadata) }
            try await answer(request, connection)
        } _: { server in
            try await body(server, try await Self.opened([server.url]))
        }
    }

    @Test func sendsAndReadsBinaryTensors() async throws {
        try await Self.serving { _, connection in
            let header = """
                {"outputs":[{"name":"name","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6}},\
                {"name":"label","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}}]}
                """
            let bytes = Self.outputs[1].bytes + Self.outputs[0].bytes
            try await connection.answer(
                type: "application/octet-stream",
                headers: ["Inference-Header-Content-Length": "\(header.utf8.count)"],
                header + String(decoding: bytes, as: UTF8.self)
            )
        } _: { server, model in
            #expect(model.description.tensors?.inputWords == "X FP32 [?, 2]")
            let outputs = try await model.run(Self.inputs, outputs: [])
            #expect(outputs == Self.outputs)
            let asked = try #require(server.requests.last)
            #expect(asked.path == "/v1/models/iris%20v1/infer")
            let length = try #require(asked.headers["inference-header-content-length"].flatMap { Int($0) })
            #expect(Array(asked.body[length...]) == Self.inputs[0].bytes)
            #expect(
                try JSONValue(parsing: Array(asked.body[..<length])) == [
                    "inputs": [
                        [
                            "name": "X", "datatype": "FP32", "shape": [1, 2],
                            "parameters": ["binary_data_size": 8],
                        ]
                    ],
                    "parameters": ["binary_data_output": true],
                ]
            )
        }
    }

    @Test func readsNumbersInJSON() async throws {
        try await Self.serving { _, connection in
            try await connection.answer(
                #"{"outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[[7]]},"#
                    + #"{"name":"name","datatype":"BYTES","shape":[1],"data":["ä"]}]}"#
            )
        } _: { _, model in
            let outputs = try await model.run(Self.inputs, outputs: [])
            #expect(outputs == Self.outputs)
        }
    }

    static let nonsense: [(answer: String, says: String)] = [
        ("{}", "without outputs"),
        (#"{"outputs":[{"name":"label"}]}"#, "without name, datatype or shape"),
        (#"{"outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":["x"]}]}"#, "cannot be read"),
        (#"{"outputs":[{"name":"label","datatype":"INT64","shape":[2],"data":[1]}]}"#, "has 8 bytes"),
        (#"{"outputs":[{"name":"label","datatype":"INT32","shape":[1],"data":[1]}]}"#, "another datatype"),
        (#"{"outputs":[{"name":"other","datatype":"INT64","shape":[1],"data":[1]}]}"#, "sent no 'label'"),
        (
            #"{"outputs":[{"name":"label","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}}]}"#,
            "fewer bytes"
        ),
    ]

    @Test("What is no answer is the server's fault", arguments: nonsense.indices)
    func rejectsNonsense(index: Int) async throws {
        let (answer, says) = Self.nonsense[index]
        try await Self.serving { _, connection in
            try await connection.answer(answer)
        } _: { _, model in
            let failure = await #expect(throws: UpstreamFailure.self) {
                _ = try await model.run(Self.inputs, outputs: ["label"])
            }
            #expect(failure?.message.contains(says) == true, "\(String(describing: failure))")
        }
    }

    @Test func refusesWrongTensorsWithoutAsking() async throws {
        try await Self.serving { _, _ in
        } _: { server, model in
            let wrong = [Tensor(name: "X", shape: [1, 3], elements: [1, 2, 3] as [Float])]
            await #expect(throws: MartletError.self) { _ = try await model.run(wrong, outputs: []) }
            #expect(server.requests.count == 1)
        }
    }

    @Test func waitsForAServerThatTellsItsSignature() async throws {
        let gone = try await ScriptedUpstream.run({ _, _ in }) { $0.url }
        await #expect { _ = try await Self.opened([gone]) } throws: { error in
            (error as? MartletError)?.code == "UpstreamUnavailable"
                && (error as? MartletError)?.disposition == .retryable
        }
        try await Self.serving { _, _ in
        } _: { server, _ in
            let model = try await Self.opened([gone, server.url])
            #expect(model.description.tensors != nil)
        }
    }
}
