import Planning
import Schema
import TestSupport
import Testing

@testable import Serving

/// Requests that are answered again from their records.
struct ReplayTests {
    private static func request() -> TextRequest {
        var request = TextRequest(prompt: .chat([ChatMessage(role: "user", content: "hi")]), stop: ["x"])
        (request.temperature, request.topP, request.seed) = (0.5, 0.25, 7)
        (request.frequencyPenalty, request.presencePenalty) = (1, -1)
        (request.maxTokens, request.maxTokensName) = (9, "max_completion_tokens")
        request.topLogProbabilities = 2
        request.logitBias = [3: 1.5]
        request.tools = ToolUse(
            [ToolFunction(name: "f", description: "d", parameters: ["type": "object"], isStrict: true)],
            choice: .function("f"),
            allowsSeveral: false
        )
        request.format = .jsonSchema(OutputFormat.NamedSchema(name: "n", schema: ["type": "object"]))
        request.streams = false
        return request
    }

    @Test("a request for text is read back as it was")
    func text() throws {
        let request = Self.request()
        #expect(try TextRequest(recorded: request.recordedInput, request.recordedParameters) == request)
        var plain = TextRequest(prompt: .text("once"))
        plain.streams = false
        plain.format = .jsonObject
        #expect(try TextRequest(recorded: plain.recordedInput, plain.recordedParameters) == plain)
    }

    @Test("tensors are read back as they were, but for those that were too large to be written down")
    func tensors() throws {
        let tensors = [
            Tensor(name: "a", shape: [2, 2], elements: [1, 2, 3, 4] as [Float]),
            Tensor(name: "b", shape: [2], texts: ["x", "yz"]),
            Tensor(name: "c", shape: [2000], elements: [Int64](repeating: 5, count: 2000)),
            Tensor(name: "d", shape: [1], elements: [Double.nan]),
        ]
        let request = TensorRequest(inputs: tensors, outputs: ["o"])
        let read = try TensorRequest(recorded: request.recordedInput)
        #expect(read.inputs == tensors)
        #expect(read.outputs == ["o"])
        let large = Tensor(name: "e", shape: [1 << 21], elements: [UInt8](repeating: 0, count: 1 << 21))
        let error = #expect(throws: MartletError.self) {
            try TensorRequest(recorded: TensorRequest(inputs: [large]).recordedInput)
        }
        #expect(error?.code == "Conflict")
    }

    @Test("a repeated request has a record of its own, and is told apart")
    func records() async throws {
        let records = MemoryRecordStore()
        try await EndpointFixture.run({ request, _ in .says([request.lastMessage]) }, records: records) { fixture, _ in
            try await fixture.deploy(try EndpointFixture.promptGraph(1))
            try await _ = fixture.server.chain(fixture.call(["message": "yo"])) { _ in }
            let first = try #require(records.records.first)
            try await fixture.server.replay(first, as: "again", on: nil)
            let second = try #require(records.records.first { $0.id == "again" })
            #expect((second.replayOf, second.status, second.output) == ("r", "ok", "yo"))
            let unknown = await #expect(throws: MartletError.self) {
                try await fixture.server.replay(first, as: "x", on: "ffffffffff")
            }
            #expect(unknown?.code == "NotFound")
            var empty = first
            empty.input = nil
            let blank = await #expect(throws: MartletError.self) {
                try await fixture.server.replay(empty, as: "x", on: nil)
            }
            #expect(blank?.code == "Conflict")
        }
    }
}
