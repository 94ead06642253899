import Planning
import Schema
import Testing

@testable import Gateway

@Suite("Requests to infer")
struct InferCallTests {
    static let input = #"{"name": "x", "shape": [2], "datatype": "INT8", "data": [1, 2]}"#

    static func call(_ json: String, binary: [UInt8]? = nil) throws -> InferCall {
        try InferCall(Array(json.utf8) + (binary ?? []), headerLength: binary.map { _ in json.utf8.count })
    }

    @Test("A request has inputs, outputs and parameters of its own")
    func members() throws {
        let call = try Self.call(
            #"""
            {"id": "a\"1", "parameters": {"priority": 2, "timeout": 1500, "sequence_id": 0, "sequence_start": false},
             "inputs": [\#(Self.input), {"data": [[3]], "datatype": "INT64", "shape": [1, 1], "name": "y"}],
             "outputs": [{"name": "p"}, {"name": "q", "parameters": {"binary_data": true, "classification": 0}}]}
            """#
        )
        #expect(call.id == "a\"1")
        #expect(call.priority == 2)
        #expect(call.timeout == .microseconds(1500))
        #expect(call.outputs == ["p", "q"])
        #expect(["p", "q", "r"].map { call.isBinary($0) } == [false, true, false])
        let expected = [
            Tensor(name: "x", shape: [2], elements: [1, 2] as [Int8]),
            Tensor(name: "y", shape: [1, 1], elements: [3] as [Int64]),
        ]
        #expect(call.inputs == expected)
    }

    @Test("What is null counts as not given, and 0 as the default")
    func defaults() throws {
        let call = try Self.call(
            #"{"id": null, "outputs": null, "parameters": {"timeout": 0, "priority": 0}, "inputs": [\#(Self.input)]}"#
        )
        #expect(call.id == nil)
        #expect(call.timeout == nil)
        #expect(call.outputs.isEmpty)
    }

    @Test("Binary data stand behind the JSON in the order of the inputs that have them")
    func binary() throws {
        let call = try Self.call(
            #"""
            {"parameters": {"binary_data_output": true}, "outputs": [{"name": "p", "parameters": {"binary_data": false}}],
             "inputs": [
              {"name": "h", "shape": [1], "datatype": "FP16", "parameters": {"binary_data_size": 2}}, \#(Self.input),
              {"name": "t", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": 9}}]}
            """#,
            binary: [0, 0x3C, 1, 0, 0, 0, 0xFF, 0, 0, 0, 0]
        )
        #expect(call.inputs[0] == Tensor(name: "h", shape: [1], elements: [1] as [Float16]))
        #expect(call.inputs[1].bytes == [1, 2])
        #expect(call.inputs[2].texts == [[0xFF], []])
        #expect(call.isBinary("p") == false)
        #expect(call.isBinary("q"))
    }

    @Test(
        "A request that is not right is refused by the name of its field",
        arguments: [
            ("[]", nil, "must be one JSON object"), ("{", nil, "not JSON"), ("{}", "inputs", "required"),
            (#"{"inputs": 1}"#, "inputs", "array"), (#"{"inputs": [1]}"#, "inputs[0]", "object"),
            (#"{"inputs": [], "id": 1}"#, "id", "string"), (#"{"inputs": [], "input": []}"#, "input", "'inputs'"),
            (#"{"inputs": [{"shape": [1], "datatype": "INT8", "data": [1]}]}"#, "inputs[0].name", "required"),
            (#"{"inputs": [{"name": "x", "datatype": "INT8", "data": [1]}]}"#, "inputs[0].shape", "required"),
            (#"{"inputs": [{"name": "x", "shape": [1], "data": [1]}]}"#, "inputs[0].datatype", "required"),
            (#"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT8"}]}"#, "inputs[0].data", "binary_data_size"),
            (
                #"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT", "data": [1]}]}"#, "inputs[0].datatype",
                "INT8"
            ),
            (
                #"{"inputs": [{"name": "x", "shape": [-1], "datatype": "INT8", "data": [1]}]}"#, "inputs[0].shape",
                "below 0"
            ),
            (#"{"inputs": [{"name": "x", "shape": 1, "datatype": "INT8", "data": [1]}]}"#, "inputs[0].shape", "array"),
            (
                #"{"inputs": [{"name": "x", "shape": [1.5], "datatype": "INT8", "data": [1]}]}"#, "inputs[0].shape",
                "whole"
            ),
            (#"{"inputs": [], "parameters": {"sequence_id": 7}}"#, "parameters.sequence_id", "only as"),
            (#"{"inputs": [], "parameters": {"priorty": 7}}"#, "parameters.priorty", "'priority'"),
            (#"{"inputs": [], "parameters": {"timeout": -1}}"#, "parameters.timeout", "86400000000"),
            (#"{"inputs": [], "parameters": 1}"#, "parameters", "object"),
            (#"{"inputs": [], "outputs": [{}]}"#, "outputs[0].name", "required"),
            (
                #"{"inputs": [], "outputs": [{"name": "p", "parameters": {"classification": 3}}]}"#,
                "outputs[0].parameters.classification", "only as 0"
            ),
            (
                #"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "parameters": {"shared_memory_region": "r"}}]}"#,
                "inputs[0].parameters.shared_memory_region", "not supported"
            ),
        ] as [(String, String?, String)]
    )
    func refusals(body: String, parameter: String?, words: String) {
        let error = #expect(throws: OpenAIError.self) { try Self.call(body) }
        #expect(error?.status == 400)
        #expect(error?.parameter == parameter)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(
        "Binary data that do not add up are refused",
        arguments: [
            (#", "parameters": {"binary_data_size": 3}"#, [1, 2], "2 bytes left"),
            (#", "parameters": {"binary_data_size": 1}"#, [1, 2], "1 bytes of binary data"),
            (#", "data": [1, 2]"#, [1, 2], "2 bytes of binary data"),
            (#", "data": [1, 2], "parameters": {"binary_data_size": 2}"#, [1, 2], "exclude each other"),
            (#", "parameters": {"binary_data_size": -1}"#, [], "from 0"),
        ] as [(String, [UInt8], String)]
    )
    func binaryRefusals(members: String, binary: [UInt8], words: String) {
        let error = #expect(throws: OpenAIError.self) {
            try Self.call(#"{"inputs": [{"name": "x", "shape": [2], "datatype": "INT8"\#(members)}]}"#, binary: binary)
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("Requests of too many tensors, sizes and brackets are refused")
    func limits() {
        let many = Array(repeating: Self.input, count: InferCall.maximumTensors + 1).joined(separator: ",")
        let ones = Array(repeating: "1", count: InferCall.maximumRank + 1).joined(separator: ",")
        let brackets = String(repeating: "[", count: 100_000)
        let bodies = [
            "{\"inputs\": [\(many)]}",
            #"{"inputs": [{"name": "x", "shape": [\#(ones)], "datatype": "INT8", "data": [1]}]}"#,
            #"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": \#(brackets)"#,
            #"{"inputs": \#(brackets)"#,
        ]
        for body in bodies { #expect(throws: OpenAIError.self) { try Self.call(body) } }
    }
}
