internal import Planning
internal import Schema
internal import Serving

extension TextCall {
    /// Decodes the body of `POST /v1/completions`.
    init(completions body: [UInt8]) throws {
        let reader = try ParameterReader(body: body)
        try ParameterRules.completions.check(reader)
        var request = TextRequest(prompt: .text(""))
        try request.readSampling(reader)
        request.topLogProbabilities = try reader.integer("logprobs", in: 0...5).map { Int($0) }
        let prompts = try Self.prompts(reader)
        try self.init(
            reader,
            prompts: prompts.map { prompt in
                var request = request
                request.prompt = .text(prompt)
                return request
            }
        )
    }

    private static func prompts(_ reader: ParameterReader) throws -> [String] {
        if case .array(let elements) = reader["prompt"], elements.contains(where: { $0.string == nil }) {
            throw OpenAIError.unsupported(
                "Prompts of token numbers are not supported; send text.",
                parameter: reader.path("prompt")
            )
        }
        let prompts = try reader.required("prompt", reader.strings("prompt"))
        guard !prompts.isEmpty else {
            throw OpenAIError.invalid("'prompt' must hold at least one text.", parameter: "prompt")
        }
        return prompts
    }
}
