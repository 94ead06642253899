internal import NIOCore
internal import Planning
internal import Schema

/// Encodes the answer to a request to infer: JSON, with the outputs that are wanted so as binary data behind it.
struct InferAnswer {
    var body = ByteBuffer()
    /// How many bytes of the body are JSON, where binary data follows these.
    var headerLength: Int?

    /// - Parameters:
    ///   - outputs: valid tensors, in the order of the answer.
    ///   - model: as the caller wrote it.
    ///   - version: the revision that answered.
    ///
    /// Throws what JSON cannot say: FP16 and BF16, infinities, and texts that are not UTF-8.
    init(_ outputs: [Tensor], to call: InferCall, model: String, version: String) throws {
        self.body.writeStaticString("{\"model_name\":")
        self.body.writeJSONString(model)
        self.body.writeStaticString(",\"model_version\":")
        self.body.writeJSONString(version)
        if let id = call.id {
            self.body.writeStaticString(",\"id\":")
            self.body.writeJSONString(id)
        }
        self.body.writeStaticString(",\"outputs\":[")
        var binary: [Tensor] = []
        for (index, output) in outputs.enumerated() {
            if index > 0 { self.body.writeStaticString(",") }
            self.open(output)
            if call.isBinary(output.name) {
                self.body.writeString(",\"parameters\":{\"binary_data_size\":\(output.bytes.count)}}")
                binary.append(output)
            } else {
                self.body.writeStaticString(",\"data\":")
                try output.write(to: &self.body)
                self.body.writeStaticString("}")
            }
        }
        self.body.writeStaticString("]}")
        guard !binary.isEmpty else { return }
        self.headerLength = self.body.readableBytes
        self.body.reserveCapacity(minimumWritableBytes: binary.reduce(0) { $0 + $1.bytes.count })
        for output in binary { self.body.writeBytes(output.bytes) }
    }

    private mutating func open(_ output: Tensor) {
        self.body.writeStaticString("{\"name\":")
        self.body.writeJSONString(output.name)
        self.body.writeStaticString(",\"datatype\":\"")
        self.body.writeString(output.datatype.rawValue)
        self.body.writeStaticString("\",\"shape\":")
        self.body.writeJSONArray(output.shape) { $0.writeString(String($1)) }
    }
}

extension Tensor {
    /// Appends the elements as one flat JSON array.
    fileprivate func write(to buffer: inout ByteBuffer) throws {
        switch self.datatype {
        case .bool: buffer.writeJSONArray(self.bytes) { $0.writeStaticString($1 == 0 ? "false" : "true") }
        case .uint8: self.writeIntegers(UInt8.self, to: &buffer)
        case .uint16: self.writeIntegers(UInt16.self, to: &buffer)
        case .uint32: self.writeIntegers(UInt32.self, to: &buffer)
        case .uint64: self.writeIntegers(UInt64.self, to: &buffer)
        case .int8: self.writeIntegers(Int8.self, to: &buffer)
        case .int16: self.writeIntegers(Int16.self, to: &buffer)
        case .int32: self.writeIntegers(Int32.self, to: &buffer)
        case .int64: self.writeIntegers(Int64.self, to: &buffer)
        case .fp32: try self.writeFloats(Float.self, to: &buffer)
        case .fp64: try self.writeFloats(Double.self, to: &buffer)
        case .fp16, .bf16: throw self.unsayable("is \(self.datatype.rawValue)")
        case .bytes: try self.writeTexts(to: &buffer)
        }
    }

    private func writeIntegers<Element: TensorElement & FixedWidthInteger>(
        _ type: Element.Type,
        to buffer: inout ByteBuffer
    ) {
        buffer.writeJSONArray(0..<self.count(of: type)) { $0.writeString(String(self.element($1, as: type))) }
    }

    /// Not a number becomes `null`.
    private func writeFloats<Element: TensorElement & BinaryFloatingPoint & LosslessStringConvertible>(
        _ type: Element.Type,
        to buffer: inout ByteBuffer
    ) throws {
        let indices = 0..<self.count(of: type)
        if let index = indices.first(where: { self.element($0, as: type).isInfinite }) {
            throw self.unsayable("has an infinity as element \(index)")
        }
        buffer.writeJSONArray(indices) { $0.writeJSONNumber(self.element($1, as: type)) }
    }

    // Read from the bytes one by one: an array of all elements would be made only to be thrown away.

    private func count<Element: TensorElement>(of type: Element.Type) -> Int {
        self.bytes.count / MemoryLayout<Element>.size
    }

    private func element<Element: TensorElement>(_ index: Int, as type: Element.Type) -> Element {
        self.bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: index * MemoryLayout<Element>.size, as: type)
    }

    private func writeTexts(to buffer: inout ByteBuffer) throws {
        let texts = try (self.texts ?? []).enumerated().map { index, bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw self.unsayable("has bytes that are no UTF-8 as element \(index)")
            }
            return text
        }
        buffer.writeJSONArray(texts) { $0.writeJSONString($1) }
    }

    private func unsayable(_ problem: String) -> OpenAIError {
        .unsupported(
            "Output '\(self.name)' \(problem), which JSON cannot say; ask for it as binary data, "
                + "with 'parameters': {'binary_data': true} beside its name in 'outputs'.",
            parameter: "outputs"
        )
    }
}
