internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Schema
internal import Serving

/// `POST /v1/embeddings`.
struct EmbeddingRoutes: Sendable {
    let plane: DataPlane

    func register(on router: Router<GatewayContext>) {
        router.post("/v1/embeddings") { request, context in try await self.answer(request, context) }
        router.refuseOtherMethods("/v1/embeddings", allowed: [.post])
    }

    private func answer(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let body = try await request.bodyBytes(upTo: self.plane.maxBodyBytes)
        let call = try EmbeddingCall(body)
        let endpoint = try self.plane.endpoint(call.model, bodyBytes: body.count)
        do {
            let answer = try await self.plane.service.embeddings(self.plane.call(endpoint, context, call.texts))
            try call.check(answer)
            let size = answer.vectors.reduce(0) { $0 + $1.count * MemoryLayout<Float>.size }
            var response = Response.json(try await context.encode(size) { call.encode(answer) })
            response.stamp(answer.stamp)
            return response
        } catch {
            throw OpenAIError(error).naming(prompt: "input")
        }
    }
}

/// A decoded request for embeddings.
struct EmbeddingCall: Sendable {
    enum Encoding: Sendable {
        case numbers
        /// Little-endian 32-bit floats in base64, which OpenAI's clients ask for by themselves.
        case base64
    }

    /// The most texts that one request may hold.
    static let maximumTexts = 2048

    var model: String
    var texts: [String]
    var encoding: Encoding
    /// The width that the caller wants; a model has only one.
    var dimensions: Int?

    init(_ body: [UInt8]) throws {
        let reader = try ParameterReader(body: body)
        try ParameterRules.embeddings.check(reader)
        self.model = try reader.required("model", reader.string("model"))
        if case .array(let elements) = reader["input"], elements.contains(where: { $0.string == nil }) {
            throw OpenAIError.unsupported("Input of token numbers is not supported; send text.", parameter: "input")
        }
        self.texts = try reader.required("input", reader.strings("input"))
        guard (1...Self.maximumTexts).contains(self.texts.count), !self.texts.contains("") else {
            throw OpenAIError.invalid(
                "'input' takes 1 to \(Self.maximumTexts) texts that are not empty.",
                parameter: "input"
            )
        }
        self.dimensions = try reader.integer("dimensions", in: 1...Int64(Int32.max)).map { Int($0) }
        switch try reader.string("encoding_format") {
        case nil, "float": self.encoding = .numbers
        case "base64": self.encoding = .base64
        case .some(let other):
            throw OpenAIError.invalid(
                "'encoding_format' must be 'float' or 'base64', not '\(other.shortened)'.",
                parameter: "encoding_format"
            )
        }
    }

    /// Throws when the model's vectors are not what was asked for, or are no vectors.
    func check(_ answer: EmbeddingAnswer) throws {
        guard answer.vectors.count == self.texts.count, answer.vectors.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw CallError(.failed, "The model gave no usable embeddings.")
        }
        if let dimensions, let width = answer.vectors.first?.count, width != dimensions {
            throw OpenAIError.unsupported(
                "This model's embeddings have \(width) dimensions, not \(dimensions); leave 'dimensions' out.",
                parameter: "dimensions"
            )
        }
    }

    /// The answer's body.
    func encode(_ answer: EmbeddingAnswer) -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"object\":\"list\",\"data\":")
        buffer.writeJSONArray(answer.vectors.enumerated()) { buffer, element in
            buffer.writeString("{\"object\":\"embedding\",\"index\":\(element.offset),\"embedding\":")
            switch self.encoding {
            case .numbers: buffer.writeJSONArray(element.element) { $0.writeJSONNumber($1) }
            case .base64: buffer.writeJSONString(Self.base64(element.element))
            }
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString(",\"model\":")
        buffer.writeJSONString(self.model)
        let tokens = answer.usage.promptTokens
        buffer.writeString(",\"usage\":{\"prompt_tokens\":\(tokens),\"total_tokens\":\(tokens)}}")
        return buffer
    }

    private static func base64(_ vector: [Float]) -> String {
        var bytes = Data(capacity: vector.count * 4)
        for element in vector {
            withUnsafeBytes(of: element.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes.base64EncodedString()
    }
}
