internal import NIOHTTP1
internal import Planning
internal import Schema

/// Reads what a server of the Open Inference Protocol answers.
enum InferenceAnswer {
    /// Says how many bytes of a body are its JSON header; without it, all of them are.
    static let lengthHeader = "inference-header-content-length"

    /// The outputs that are expected, in their order. Throws ``UpstreamFailure`` for anything else.
    static func read(
        _ body: [UInt8],
        _ head: HTTPResponseHead,
        expecting expected: [TensorDescription],
        from endpoint: UpstreamEndpoint
    ) throws -> [Tensor] {
        func nonsense(_ problem: String) -> UpstreamFailure { UpstreamFailure(nonsense: problem, from: endpoint) }
        let length = head.headers.first(name: Self.lengthHeader).map { Int($0) ?? -1 } ?? body.count
        guard (0...body.count).contains(length) else { throw nonsense("sent a header longer than its answer") }
        guard let value = try? JSONValue(parsing: Array(body[..<length]), limits: JSONLimits(depth: 64)),
            let outputs = value["outputs"]?.array
        else { throw nonsense("sent an answer without outputs") }
        var tensors: [String: Tensor] = [:]
        var position = length
        for output in outputs {
            guard let name = output["name"]?.string,
                let datatype = output["datatype"]?.string.flatMap(TensorDatatype.init),
                let shape = Self.sizes(output["shape"])
            else { throw nonsense("sent an output without name, datatype or shape") }
            let bytes: [UInt8]
            if let count = output["parameters"]?["binary_data_size"] {
                guard case .integer(let size) = count, (0...Int64(body.count - position)).contains(size) else {
                    throw nonsense("sent fewer bytes than it says for '\(endpoint.clean(name))'")
                }
                bytes = Array(body[position..<position + Int(size)])
                position += Int(size)
            } else {
                guard let read = TensorNumbers.bytes(output["data"] ?? .null, datatype) else {
                    throw nonsense("sent data of '\(endpoint.clean(name))' that cannot be read")
                }
                bytes = read
            }
            tensors[name] = Tensor(name: name, datatype: datatype, shape: shape, bytes: bytes)
        }
        return try expected.map { description in
            guard let tensor = tensors[description.name] else { throw nonsense("sent no '\(description.name)'") }
            guard tensor.datatype == description.datatype, tensor.problem == nil else {
                throw nonsense("sent '\(description.name)' that \(tensor.problem ?? "has another datatype")")
            }
            return tensor
        }
    }

    /// What the model's metadata say. Throws ``UpstreamFailure``.
    static func signature(_ body: [UInt8], from endpoint: UpstreamEndpoint) throws -> TensorSignature {
        let value = try? JSONValue(parsing: body, limits: JSONLimits(depth: 16))
        guard let inputs = Self.descriptions(value?["inputs"]), let outputs = Self.descriptions(value?["outputs"])
        else {
            throw UpstreamFailure(nonsense: "sent metadata that cannot be read", from: endpoint)
        }
        return TensorSignature(inputs: inputs, outputs: outputs)
    }

    private static func descriptions(_ value: JSONValue?) -> [TensorDescription]? {
        guard let elements = value?.array else { return nil }
        let read = elements.compactMap { element -> TensorDescription? in
            guard let name = element["name"]?.string,
                let datatype = element["datatype"]?.string.flatMap(TensorDatatype.init)
            else { return nil }
            // Where even the number of sizes is open, servers leave the shape out.
            guard let shape = element["shape"], shape != .null else {
                return TensorDescription(name: name, datatype: datatype, shape: nil)
            }
            return Self.sizes(shape).map { TensorDescription(name: name, datatype: datatype, shape: $0) }
        }
        return read.count == elements.count ? read : nil
    }

    private static func sizes(_ value: JSONValue?) -> [Int]? {
        guard let elements = value?.array else { return nil }
        let sizes = elements.compactMap { element -> Int? in
            guard case .integer(let size) = element else { return nil }
            return Int(size)
        }
        return sizes.count == elements.count ? sizes : nil
    }
}
