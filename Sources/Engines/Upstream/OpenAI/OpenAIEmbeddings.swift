internal import Planning
internal import Schema

/// Embeddings as OpenAI's API spells them.
enum OpenAIEmbeddings {
    static func body(_ texts: [String], model: String) -> [UInt8] {
        Array(
            JSONValue.object([
                "model": .string(model), "input": .array(texts.map { .string($0) }), "encoding_format": "float",
            ]).canonicalJSON.utf8
        )
    }

    /// The vectors in the order of their texts. Throws ``UpstreamFailure``.
    static func read(
        _ body: [UInt8],
        count: Int,
        from endpoint: UpstreamEndpoint
    ) throws -> ([[Float]], TokenUsage) {
        guard let value = try? JSONValue(parsing: body, limits: JSONLimits(depth: 16)),
            let data = value["data"]?.array, data.count == count
        else { throw UpstreamFailure(nonsense: "sent no embeddings, or too few", from: endpoint) }
        var vectors: [[Float]?] = Array(repeating: nil, count: count)
        for (position, element) in data.enumerated() {
            var index = position
            if case .integer(let number)? = element["index"] { index = Int(clamping: number) }
            guard vectors.indices.contains(index), let numbers = element["embedding"]?.array else { continue }
            vectors[index] = numbers.compactMap(Self.float)
            guard vectors[index]?.count == numbers.count else { vectors[index] = nil; continue }
        }
        let whole = vectors.compactMap(\.self)
        guard whole.count == count, Set(whole.map(\.count)).count <= 1 else {
            throw UpstreamFailure(nonsense: "sent embeddings that cannot be read", from: endpoint)
        }
        var tokens = 0
        if case .integer(let number)? = value["usage"]?["prompt_tokens"] {
            tokens = Int(min(max(number, 0), Int64(Int32.max)))
        }
        return (whole, TokenUsage(promptTokens: tokens))
    }

    private static func float(_ value: JSONValue) -> Float? {
        switch value {
        case .integer(let number): Float(number)
        case .number(let number): Float(number)
        case .null, .bool, .string, .array, .object: nil
        }
    }
}
