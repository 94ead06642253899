import NIOCore
import Planning
import Schema
import Testing

@testable import Gateway

@Suite("Answers of inference")
struct InferAnswerTests {
    static func answer(_ outputs: [Tensor], to request: String = #"{"inputs": []}"#) throws -> InferAnswer {
        try InferAnswer(outputs, to: InferCall(Array(request.utf8)), model: "iris", version: "abc")
    }

    @Test("An answer names what answered, and repeats the request's id")
    func heading() throws {
        let answer = try Self.answer(
            [Tensor(name: "p", shape: [1, 2], elements: [1, -2] as [Int32])],
            to: #"{"id": "7", "inputs": []}"#
        )
        #expect(
            String(buffer: answer.body)
                == #"{"model_name":"iris","model_version":"abc","id":"7","outputs":["#
                + #"{"name":"p","datatype":"INT32","shape":[1,2],"data":[1,-2]}]}"#
        )
        #expect(answer.headerLength == nil)
    }

    @Test(
        "Elements are written in their shortest exact form",
        arguments: [
            (Tensor(name: "p", shape: [2], elements: [Int64.min, .max]), "[-9223372036854775808,9223372036854775807]"),
            (Tensor(name: "p", shape: [2], elements: [UInt64.max, 0]), "[18446744073709551615,0]"),
            (Tensor(name: "p", shape: [4], elements: [0.1, 1, -0.0, 1e-7] as [Float]), "[0.1,1.0,-0.0,1e-07]"),
            (Tensor(name: "p", shape: [2], elements: [0.1 + 0.2, .nan]), "[0.30000000000000004,null]"),
            (Tensor(name: "p", datatype: .bool, shape: [2], bytes: [0, 1]), "[false,true]"),
            (Tensor(name: "p", shape: [2], texts: ["a\"\n", ""]), #"["a\"\n",""]"#),
            (Tensor(name: "p", shape: [0], elements: [] as [Int8]), "[]"),
        ]
    )
    func elements(tensor: Tensor, data: String) throws {
        let text = String(buffer: try Self.answer([tensor]).body)
        #expect(text.hasSuffix("\"data\":\(data)}]}"), "\(text)")
        _ = try JSONValue(parsing: text)
    }

    @Test(
        "What JSON cannot say is refused with the way to have it",
        arguments: [
            Tensor(name: "p", shape: [1], elements: [1] as [Float16]),
            Tensor(name: "p", datatype: .bf16, shape: [1], bytes: [0, 0]),
            Tensor(name: "p", shape: [2], elements: [1, .infinity] as [Float]),
            Tensor(name: "p", shape: [1], elements: [-Double.infinity]),
            Tensor(name: "p", datatype: .bytes, shape: [1], bytes: [1, 0, 0, 0, 0xFF]),
        ]
    )
    func unsayable(tensor: Tensor) throws {
        let error = #expect(throws: OpenAIError.self) { try Self.answer([tensor]) }
        #expect(error?.message.contains("'binary_data': true") == true)
        let request = #"{"inputs": [], "outputs": [{"name": "p", "parameters": {"binary_data": true}}]}"#
        let answer = try Self.answer([tensor], to: request)
        let header = try #require(answer.headerLength)
        #expect(Array(answer.body.readableBytesView.dropFirst(header)) == tensor.bytes)
        let json = try JSONValue(parsing: Array(answer.body.readableBytesView.prefix(header)))
        #expect(
            json["outputs"]?.array?.first?["parameters"]
                == ["binary_data_size": .integer(Int64(tensor.bytes.count))]
        )
    }
}
