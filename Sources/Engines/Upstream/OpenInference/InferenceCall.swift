internal import Planning
internal import Schema

/// A request for tensors as the Open Inference Protocol spells it: a JSON header, then the tensors' bytes as they are.
struct InferenceCall: Sendable {
    let body: [UInt8]
    /// The bytes of the header.
    let headerLength: Int

    init(_ inputs: [Tensor], outputs: [String]) {
        var members: [String: JSONValue] = [
            "inputs": .array(
                inputs.map { tensor in
                    [
                        "name": .string(tensor.name), "datatype": .string(tensor.datatype.rawValue),
                        "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
                        "parameters": ["binary_data_size": .integer(Int64(tensor.bytes.count))],
                    ]
                }
            )
        ]
        if outputs.isEmpty {
            members["parameters"] = ["binary_data_output": true]
        } else {
            members["outputs"] = .array(outputs.map { ["name": .string($0), "parameters": ["binary_data": true]] })
        }
        var body = Array(JSONValue.object(members).canonicalJSON.utf8)
        self.headerLength = body.count
        body.reserveCapacity(inputs.reduce(body.count) { $0 + $1.bytes.count })
        for tensor in inputs { body += tensor.bytes }
        self.body = body
    }
}
