package import Planning

/// Names one piece of work inside a session.
package struct JobID: Sendable, Hashable {
    package var number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }
}

/// A prompt in tokens, and how its answer is to be written.
package struct GenerationJob: Sendable, Hashable {
    package var id: JobID
    /// At least one token, at most as many as the context holds.
    package var prompt: [Token]
    package var sampling: SamplingParameters
    /// Nil: until the context is full.
    package var maxTokens: Int?
    package var stop: [String]
    package var adapters: [String]
    package var topLogProbabilities: Int?
    package var priority: RequestPriority

    package init(
        id: JobID,
        prompt: [Token],
        sampling: SamplingParameters = SamplingParameters(),
        maxTokens: Int? = nil,
        stop: [String] = [],
        adapters: [String] = [],
        topLogProbabilities: Int? = nil,
        priority: RequestPriority = .normal
    ) {
        self.id = id
        self.prompt = prompt
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.stop = stop
        self.adapters = adapters
        self.topLogProbabilities = topLogProbabilities
        self.priority = priority
    }

    /// The whole answer where not one token may be written; nil where there is something to do.
    var emptyAnswer: CompletionEvent? {
        guard let maxTokens = self.maxTokens, maxTokens <= 0 else { return nil }
        return .finished(.length, TokenUsage(promptTokens: self.prompt.count))
    }
}

/// A text in tokens whose embedding is wanted; it fits into one batch.
package struct EmbeddingJob: Sendable, Hashable {
    package var id: JobID
    package var tokens: [Token]

    package init(id: JobID, tokens: [Token]) {
        self.id = id
        self.tokens = tokens
    }
}

/// What a session can be asked to do.
package enum SessionJob: Sendable, Hashable {
    case generation(GenerationJob)
    case embedding(EmbeddingJob)

    package var id: JobID {
        switch self {
        case .generation(let job): job.id
        case .embedding(let job): job.id
        }
    }

    package var priority: RequestPriority {
        switch self {
        case .generation(let job): job.priority
        case .embedding: .normal
        }
    }
}
