internal import Schema
internal import Serving

/// A decoded request for text: one conversation, or one or more prompts, each answered `choicesPerPrompt` times.
struct TextCall: Sendable {
    /// The most choices that one request may ask for, all prompts together.
    static let maximumChoices = 32

    /// `model` as the caller wrote it.
    var model: String
    var requests: [TextRequest]
    var choicesPerPrompt: Int
    var streams: Bool
    var includesUsage: Bool

    /// How many answers there will be.
    var choiceCount: Int { self.requests.count * self.choicesPerPrompt }

    /// The request behind one choice; choices of one prompt differ in their seed.
    func request(ofChoice choice: Int) -> TextRequest {
        var request = self.requests[choice / self.choicesPerPrompt]
        request.seed = request.seed.map { $0 &+ UInt32(choice % self.choicesPerPrompt) }
        return request
    }

    /// Reads what both text routes share; `prompts` come from the route.
    init(_ reader: ParameterReader, prompts: [TextRequest]) throws {
        self.model = try reader.required("model", reader.string("model"))
        self.streams = try reader.boolean("stream") ?? false
        self.choicesPerPrompt = Int(try reader.integer("n", in: 1...8) ?? 1)
        self.requests = prompts
        for index in self.requests.indices { self.requests[index].streams = self.streams }
        let options = try reader.object("stream_options")
        if let options {
            try ParameterRules.streamOptions.check(options)
            guard self.streams else {
                throw OpenAIError.invalid("'stream_options' needs 'stream': true.", parameter: "stream_options")
            }
        }
        self.includesUsage = try options?.boolean("include_usage") ?? false
        guard self.choiceCount <= Self.maximumChoices else {
            throw OpenAIError.invalid(
                "Prompts times 'n' must be at most \(Self.maximumChoices), not \(self.choiceCount).",
                parameter: "n"
            )
        }
    }
}

extension TextRequest {
    /// Takes over the parameters that both text routes name alike.
    mutating func readSampling(_ reader: ParameterReader) throws {
        self.temperature = try reader.number("temperature", in: 0...2)
        self.topP = try reader.number("top_p", in: 0...1)
        self.frequencyPenalty = try reader.number("frequency_penalty", in: -2...2)
        self.presencePenalty = try reader.number("presence_penalty", in: -2...2)
        // Seeds of 64 bits are folded: equal seeds stay equal, and those below 2^32 stay what they are.
        self.seed = try reader.integer("seed").map { UInt64(bitPattern: $0) }.map {
            UInt32(truncatingIfNeeded: $0 ^ ($0 >> 32))
        }
        self.stop = try reader.strings("stop") ?? []
        guard self.stop.count <= 4, !self.stop.contains("") else {
            throw OpenAIError.invalid("'stop' takes up to 4 texts that are not empty.", parameter: "stop")
        }
        self.logitBias = try reader.logitBias()
        self.maxTokens = try reader.integer("max_tokens", in: 1...Int64(Int32.max)).map { Int($0) }
    }
}
