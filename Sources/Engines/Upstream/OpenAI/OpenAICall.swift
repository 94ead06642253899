internal import Planning
internal import Schema

/// A request as OpenAI's API spells it.
struct OpenAICall: Sendable {
    static let chat = "/chat/completions"
    static let completions = "/completions"

    /// Below the server's base path.
    let path: String
    let streams: Bool
    let isChat: Bool
    let wantsLogProbabilities: Bool
    /// All of the body but the model, from the comma behind it.
    private let rest: [UInt8]

    /// Throws `UnsupportedParameter` for what no server is asked for.
    init(_ request: CompletionRequest) throws {
        if let adapter = request.adapters.first {
            throw MartletError(
                "UnsupportedParameter",
                "adapter '\(adapter)' is asked for, but a model behind an upstream takes none"
            )
        }
        guard request.sampling.grammar == nil else {
            throw MartletError("UnsupportedParameter", "a model behind an upstream takes no grammar")
        }
        var body = OpenAIBody()
        switch request.prompt {
        case .chat(let messages):
            (self.isChat, self.path) = (true, Self.chat)
            body.add(messages: messages)
        case .text(let text):
            (self.isChat, self.path) = (false, Self.completions)
            body.add("prompt", text)
        }
        self.streams = request.streams
        self.wantsLogProbabilities = request.topLogProbabilities != nil
        body.add(request.sampling)
        body.add("max_tokens", request.maxTokens)
        if !request.stop.isEmpty { body.add("stop", .array(request.stop.map { .string($0) })) }
        if let top = request.topLogProbabilities {
            if self.isChat { body.add("logprobs", true) }
            body.add(self.isChat ? "top_logprobs" : "logprobs", top)
        }
        if let tools = request.tools { body.add(tools) }
        body.add(request.format)
        if request.streams {
            body.add("stream", true)
            body.add("stream_options", ["include_usage": true])
        }
        self.rest = body.bytes
    }

    /// The body for a server that knows the model by this name.
    func body(model: String) -> [UInt8] {
        var bytes = Array("{\"model\":".utf8)
        bytes.reserveCapacity(bytes.count + self.rest.count + model.utf8.count + 3)
        JSONValue.append(quoted: model, to: &bytes)
        bytes += self.rest
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
