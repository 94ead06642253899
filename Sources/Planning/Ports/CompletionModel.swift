package import Schema

/// One turn of a conversation.
package struct ChatMessage: Sendable, Hashable, Codable {
    /// `system`, `user`, `assistant` or `tool`.
    package var role: String
    package var content: String
    /// The calls that an assistant's turn makes.
    package var toolCalls: [ToolCall]
    /// The call that a tool's turn is the result of.
    package var toolCallID: String?

    package init(role: String, content: String, toolCalls: [ToolCall] = [], toolCallID: String? = nil) {
        self.role = role
        self.content = content
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
    }

    private enum CodingKeys: String, CodingKey {
        case role
        case content
        case toolCalls = "tool_calls"
        case toolCallID = "tool_call_id"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            role: try container.decode(String.self, forKey: .role),
            content: try container.decode(String.self, forKey: .content),
            toolCalls: try container.decodeIfPresent([ToolCall].self, forKey: .toolCalls) ?? [],
            toolCallID: try container.decodeIfPresent(String.self, forKey: .toolCallID)
        )
    }
}

/// What a model is asked to write.
package struct CompletionRequest: Sendable, Hashable {
    package enum Prompt: Sendable, Hashable {
        /// A conversation; the model's chat template is put around it.
        case chat([ChatMessage])
        /// Plain text to be continued; special tokens in it are plain text too.
        case text(String)
    }

    package var prompt: Prompt
    package var sampling: SamplingParameters
    /// The most tokens to generate; nil: until the context is full.
    package var maxTokens: Int?
    /// Generation ends before any of these texts; they are not part of the answer.
    package var stop: [String]
    /// Adapters by name, in effect for this request.
    package var adapters: [String]
    /// Whether somebody reads the pieces as they come; where not, a model may give all of its text as one.
    package var streams: Bool
    /// How many of the likeliest alternatives to report for every token; nil reports nothing.
    package var topLogProbabilities: Int?
    /// The functions that the model may call; nil for none. A model that cannot refuses with `UnsupportedParameter`.
    package var tools: ToolUse?
    /// What the answer's text must be. A model that cannot be held to it writes freely: who asks checks the answer.
    package var format: OutputFormat

    package init(
        prompt: Prompt,
        sampling: SamplingParameters = SamplingParameters(),
        maxTokens: Int? = nil,
        stop: [String] = [],
        adapters: [String] = [],
        streams: Bool = true,
        topLogProbabilities: Int? = nil,
        tools: ToolUse? = nil,
        format: OutputFormat = .text
    ) {
        self.prompt = prompt
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.stop = stop
        self.adapters = adapters
        self.streams = streams
        self.topLogProbabilities = topLogProbabilities
        self.tools = tools
        self.format = format
    }
}

/// Counted tokens.
package struct TokenUsage: Sendable, Hashable, Codable {
    package var promptTokens: Int
    package var completionTokens: Int
    /// Of the prompt's, those that did not have to be computed, since an earlier request began alike.
    package var cachedTokens: Int

    package init(promptTokens: Int = 0, completionTokens: Int = 0, cachedTokens: Int = 0) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
    }

    package static func + (lhs: TokenUsage, rhs: TokenUsage) -> TokenUsage {
        TokenUsage(
            promptTokens: lhs.promptTokens + rhs.promptTokens,
            completionTokens: lhs.completionTokens + rhs.completionTokens,
            cachedTokens: lhs.cachedTokens + rhs.cachedTokens
        )
    }
}

/// Why generation ended.
package enum FinishReason: String, Sendable, Hashable, Codable {
    /// The model ended its turn, or a stop text came up.
    case stop
    /// `maxTokens` or the context was used up.
    case length
    /// The model calls functions and waits for their results.
    case toolCalls = "tool_calls"
    /// A model elsewhere kept the rest of its answer back.
    case contentFilter = "content_filter"
}

/// The log-probability of one generated token, as text.
package struct TokenLogProbability: Sendable, Hashable, Codable {
    package var text: String
    package var bytes: [UInt8]
    package var logProbability: Double
    package var alternatives: [TokenLogProbability]

    package init(text: String, bytes: [UInt8], logProbability: Double, alternatives: [TokenLogProbability]) {
        self.text = text
        self.bytes = bytes
        self.logProbability = logProbability
        self.alternatives = alternatives
    }
}

/// A piece of an answer, in order; the last one is ``finished``.
package enum CompletionEvent: Sendable, Hashable {
    /// Whole characters to append to the answer.
    case text(String, logProbabilities: [TokenLogProbability])
    /// A piece of a call of one of the functions that were offered.
    case toolCall(ToolCallPiece)
    case finished(FinishReason, TokenUsage)
}

/// A model that answers whole requests. Ending the iteration of its stream early cancels the work.
package protocol CompletionModel: Sendable {
    var description: ModelDescription { get }

    /// Starts an answer. Throws, here or in the stream, `PromptTooLong` with the token counts, `Aborted`, and others.
    func complete(_ request: CompletionRequest) async throws -> AsyncThrowingStream<CompletionEvent, any Error>

    /// Gives the pieces of an answer to `receive`, in order, from whatever thread has the next one; returns after the
    /// last. Cancelling gives the work up, and pieces may still come while that takes effect. Throws what
    /// ``complete(_:)`` and its stream throw, and `AnswerIncomplete`.
    func answer(_ request: CompletionRequest, receive: @escaping @Sendable (CompletionEvent) -> Void) async throws

    /// The embeddings of texts, one of `description.embeddingWidth` floats for each, and the tokens read.
    func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage)

    /// The tokens of texts, as the model reads plain text; nil where only the server that it is on knows.
    func countTokens(of texts: [String]) async throws -> Int?

    /// The servers that answer, for a model that is not here.
    var upstreams: [UpstreamObservation] { get }

    /// Asks ``upstreams`` how they are, until ``close()`` or until the task is cancelled; `changed` is called, from any
    /// thread, whenever one of them begins to cool down or answers again.
    func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async

    /// Gives everything back. Answers under way end with `Aborted`.
    func close() async
}

extension CompletionModel {
    package var upstreams: [UpstreamObservation] { [] }

    package func countTokens(of texts: [String]) async throws -> Int? { nil }

    package func watchUpstreams(_ changed: @escaping @Sendable () -> Void) async {}

    package func answer(
        _ request: CompletionRequest,
        receive: @escaping @Sendable (CompletionEvent) -> Void
    ) async throws {
        for try await event in try await self.complete(request) {
            receive(event)
            if case .finished = event { return }
        }
        try Task.checkCancellation()
        throw MartletError.answerIncomplete
    }
}

extension MartletError {
    /// A model that stopped without its last event.
    package static var answerIncomplete: MartletError {
        MartletError("AnswerIncomplete", "the model's answer ended too early", disposition: .retryable)
    }
}
