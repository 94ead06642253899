internal import Planning
internal import Schema

/// A decoded request to infer: tensors, and how their answer is to be written.
struct InferCall: Sendable {
    /// The most tensors that a request may give, and ask for.
    static let maximumTensors = 256
    /// The most sizes that a shape may have.
    static let maximumRank = 32

    /// The longest timeout: a day.
    static let maximumMicroseconds: Int64 = 86_400_000_000

    /// The caller's own name of the request, which the answer repeats.
    var id: String?
    /// The endpoint as the body names it, where it does: KServe's clients say it twice.
    private var model: String?
    var inputs: [Tensor] = []
    /// The names of the outputs to compute; all where none is named.
    var outputs: [String] = []
    /// From 1, the most urgent first; 0 for the default.
    var priority: Int
    /// How long the answer may take.
    var timeout: Duration?
    /// Whether outputs are binary unless they say otherwise.
    private var areOutputsBinary: Bool
    /// The outputs that say otherwise, or the same.
    private var binaryOutputs: [String: Bool] = [:]

    /// Decodes a body.
    ///
    /// - Parameter headerLength: how many bytes of it are JSON, where binary data follows these.
    init(_ body: [UInt8], headerLength: Int? = nil) throws {
        let header = body.span.extracting(0..<(headerLength ?? body.count))
        let reader = try Self.reader(header)
        try ParameterRules.infer.check(reader)
        self.id = try reader.string("id")
        self.model = try reader.string("model_name")
        let parameters = try reader.object("parameters")
        try parameters.map { try ParameterRules.inferParameters.check($0) }
        self.areOutputsBinary = try parameters?.boolean("binary_data_output") ?? false
        self.priority = Int(try parameters?.integer("priority", in: 0...Int64(Int32.max)) ?? 0)
        // 0 stands for the default here, too.
        let microseconds = try parameters?.integer("timeout", in: 0...Self.maximumMicroseconds) ?? 0
        self.timeout = microseconds == 0 ? nil : .microseconds(microseconds)
        try self.readOutputs(reader)
        var rest = BinaryTensorData(body, from: headerLength)
        let inputs = try reader.required("inputs", Self.objects("inputs", of: reader))
        self.inputs = try inputs.map { try Self.input($0, header, &rest) }
        try rest.requireEnd()
    }

    /// Whether an output is to be written behind the JSON rather than in it.
    func isBinary(_ output: String) -> Bool { self.binaryOutputs[output] ?? self.areOutputsBinary }

    /// Throws unless the body names the endpoint that the path does, or none.
    func requireModel(_ name: String) throws {
        guard let model, model != name else { return }
        throw OpenAIError.invalid(
            "'model_name' is '\(model.shortened)', and the path names '\(name)'; leave it out, or say the same.",
            parameter: "model_name"
        )
    }

    /// The members of the JSON text; the tensors' data are left where they are.
    private static func reader(_ header: Span<UInt8>) throws -> ParameterReader {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: header, leaving: "data", limits: JSONLimits(depth: Self.maximumRank + 4))
        } catch {
            throw OpenAIError.invalid("The request is not JSON: \(error).", parameter: nil, code: "invalid_json")
        }
        guard case .object(let members) = value else {
            throw OpenAIError.invalid("The request must be one JSON object.", parameter: nil, code: "invalid_type")
        }
        return ParameterReader(members, prefix: "")
    }

    private static func objects(_ name: String, of reader: ParameterReader) throws -> [ParameterReader]? {
        guard let value = reader[name] else { return nil }
        guard case .array(let elements) = value else { throw reader.wrongType(name, "an array of tensors") }
        guard elements.count <= Self.maximumTensors else {
            throw OpenAIError.invalid(
                "'\(name)' may have \(Self.maximumTensors) tensors at most, not \(elements.count).",
                parameter: name
            )
        }
        return try elements.enumerated().map { index, element in
            guard case .object(let members) = element else { throw reader.wrongType("\(name)[\(index)]", "an object") }
            return ParameterReader(members, prefix: "\(name)[\(index)].")
        }
    }

    private mutating func readOutputs(_ reader: ParameterReader) throws {
        for output in try Self.objects("outputs", of: reader) ?? [] {
            try ParameterRules.inferOutput.check(output)
            let name = try output.required("name", output.string("name"))
            self.outputs.append(name)
            guard let parameters = try output.object("parameters") else { continue }
            try ParameterRules.inferOutputParameters.check(parameters)
            self.binaryOutputs[name] = try parameters.boolean("binary_data") ?? self.binaryOutputs[name]
        }
    }

    // MARK: Inputs

    private static func input(
        _ reader: ParameterReader,
        _ header: Span<UInt8>,
        _ rest: inout BinaryTensorData
    ) throws -> Tensor {
        try ParameterRules.inferInput.check(reader)
        let name = try reader.required("name", reader.string("name"))
        let datatype = try Self.datatype(reader)
        let shape = try Self.shape(reader)
        guard let count = Tensor.count(of: shape) else {
            throw OpenAIError.invalid(
                "'\(reader.path("shape"))' has too many elements.",
                parameter: reader.path("shape")
            )
        }
        let parameters = try reader.object("parameters")
        try parameters.map { try ParameterRules.inferInputParameters.check($0) }
        if let parameters, let size = try parameters.integer("binary_data_size", in: 0...Int64(Int32.max)) {
            let field = parameters.path("binary_data_size")
            guard reader["data"] == nil else {
                throw OpenAIError.invalid(
                    "'\(reader.path("data"))' and '\(field)' exclude each other; give one of them.",
                    parameter: field
                )
            }
            return Tensor(name: name, datatype: datatype, shape: shape, bytes: try rest.take(Int(size), for: field))
        }
        let bytes = try TensorText.bytes(
            header,
            at: try Self.place(ofDataIn: reader),
            field: reader.path("data"),
            datatype: datatype,
            shape: shape,
            count: count
        )
        return Tensor(name: name, datatype: datatype, shape: shape, bytes: bytes)
    }

    private static func datatype(_ reader: ParameterReader) throws -> TensorDatatype {
        let word = try reader.required("datatype", reader.string("datatype"))
        guard let datatype = TensorDatatype(rawValue: word) else {
            let all = TensorDatatype.allCases.map(\.rawValue)
            let hint = NearestWord.hint(for: word, among: all, otherwise: "; there are \(all.joined(separator: ", "))")
            let field = reader.path("datatype")
            throw OpenAIError.invalid(
                "'\(field)' is '\(word.shortened)', which is no datatype\(hint)",
                parameter: field
            )
        }
        return datatype
    }

    private static func shape(_ reader: ParameterReader) throws -> [Int] {
        let field = reader.path("shape")
        guard case .array(let sizes) = try reader.required("shape", reader["shape"]) else {
            throw reader.wrongType("shape", "an array of whole numbers")
        }
        guard sizes.count <= Self.maximumRank else {
            throw OpenAIError.invalid(
                "'\(field)' may have \(Self.maximumRank) sizes at most, not \(sizes.count).",
                parameter: field
            )
        }
        return try sizes.map { size in
            guard case .integer(let size) = size, size >= 0 else {
                throw reader.wrongType("shape", "an array of whole numbers, none of them below 0")
            }
            return Int(size)
        }
    }

    private static func place(ofDataIn reader: ParameterReader) throws -> Range<Int> {
        let field = reader.path("data")
        switch reader["data"] {
        case .array(let ends):
            // What the parser gives in place of the array that it left.
            guard case .integer(let start)? = ends.first, case .integer(let end)? = ends.last else {
                throw reader.wrongType("data", "an array of the tensor's elements")
            }
            return Int(start)..<Int(end)
        case nil:
            throw OpenAIError.invalid(
                "'\(field)' is required, or '\(reader.path("parameters.binary_data_size"))' with binary data.",
                parameter: field,
                code: "missing_required_parameter"
            )
        case .null, .bool, .integer, .number, .string, .object:
            throw reader.wrongType("data", "an array of the tensor's elements")
        }
    }
}

/// The binary data behind a request's JSON, which its tensors take one after the other.
struct BinaryTensorData {
    private let body: [UInt8]
    private var position: Int

    /// - Parameter start: where the data begin; nil where there are none.
    init(_ body: [UInt8], from start: Int?) {
        self.body = body
        self.position = start ?? body.count
    }

    private var left: Int { self.body.count - self.position }

    mutating func take(_ count: Int, for field: String) throws -> [UInt8] {
        guard count <= self.left else {
            throw OpenAIError.invalid(
                "'\(field)' is \(count), and the body has \(self.left) bytes left; "
                    + "see to the header Inference-Header-Content-Length, too.",
                parameter: field
            )
        }
        defer { self.position += count }
        return Array(self.body[self.position..<self.position + count])
    }

    func requireEnd() throws {
        guard self.left == 0 else {
            throw OpenAIError.invalid(
                "The body has \(self.left) bytes of binary data that no input's 'binary_data_size' claims.",
                parameter: "inputs"
            )
        }
    }
}
