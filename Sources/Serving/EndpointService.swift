package import Planning
package import Schema

/// Who calls: nobody that is known, or a tenant.
package enum Caller: Sendable, Hashable {
    case anonymous
    case tenant(String)
}

/// An endpoint as callers name it: `desk`, or `shop/desk` for another namespace than the default one.
package struct EndpointName: Sendable, Hashable, Comparable {
    package var namespace: String
    package var name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    package static func < (lhs: EndpointName, rhs: EndpointName) -> Bool {
        (lhs.namespace, lhs.name) < (rhs.namespace, rhs.name)
    }
}

/// One call of an endpoint.
package struct EndpointCall<Body: Sendable>: Sendable {
    package var endpoint: EndpointName
    package var caller: Caller
    /// `x-request-id`, accepted or made.
    package var requestID: String
    package var body: Body
    /// The revision that the caller pins, by its first hex digits; nil: whichever the traffic says. Only one that serves
    /// can be pinned.
    package var revision: String?
    /// Runs what is done for the call; nil: any thread does. One that already runs whoever calls saves changing threads.
    package var executor: (any TaskExecutor)?
    /// The recorded request that this one repeats; nil for a caller's own.
    package var repeats: RequestRecord?

    package init(
        endpoint: EndpointName,
        caller: Caller,
        requestID: String,
        body: Body,
        revision: String? = nil,
        executor: (any TaskExecutor)? = nil
    ) {
        self.endpoint = endpoint
        self.caller = caller
        self.requestID = requestID
        self.body = body
        self.revision = revision
        self.executor = executor
    }
}

/// A request to write text: a conversation or plain text, with the caller's own parameters.
package struct TextRequest: Sendable, Hashable {
    package var prompt: CompletionRequest.Prompt
    /// Parameters that the caller gave, by their OpenAI names; nil where not given. An endpoint that serves a chain
    /// refuses what its templates decide (`UnsupportedParameter`).
    package var temperature: Double?
    package var topP: Double?
    package var seed: UInt32?
    package var frequencyPenalty: Double?
    package var presencePenalty: Double?
    package var maxTokens: Int?
    /// What the caller calls `maxTokens`: OpenAI has two names for it.
    package var maxTokensName = "max_tokens"
    package var stop: [String]
    package var topLogProbabilities: Int?
    /// By token of the model's vocabulary, -100 to 100; empty where not given.
    package var logitBias: [Token: Double] = [:]
    package var tools: ToolUse?
    package var format: OutputFormat = .text
    /// Whether the caller reads the text as it comes.
    package var streams = true

    package init(prompt: CompletionRequest.Prompt, stop: [String] = []) {
        self.prompt = prompt
        self.stop = stop
    }
}

/// What every answer is stamped with.
package struct AnswerStamp: Sendable, Hashable {
    package var variant: VariantID
    package var revision: Revision
    package var commit: ObjectID
    /// Whether a recording gave the answer.
    package var replayed: Bool

    package init(variant: VariantID, revision: Revision, commit: ObjectID, replayed: Bool) {
        self.variant = variant
        self.revision = revision
        self.commit = commit
        self.replayed = replayed
    }
}

/// An answer under way: its stamp at once, its text as it comes. Ending the iteration early cancels the work.
package struct TextAnswer: Sendable {
    package var stamp: AnswerStamp
    package var events: AsyncThrowingStream<CompletionEvent, any Error>

    package init(stamp: AnswerStamp, events: AsyncThrowingStream<CompletionEvent, any Error>) {
        self.stamp = stamp
        self.events = events
    }
}

/// The vectors of one embedding call.
package struct EmbeddingAnswer: Sendable {
    package var stamp: AnswerStamp
    package var vectors: [[Float]]
    package var usage: TokenUsage

    package init(stamp: AnswerStamp, vectors: [[Float]], usage: TokenUsage) {
        self.stamp = stamp
        self.vectors = vectors
        self.usage = usage
    }
}

/// One thing that happened in a chain, for `?stream=true`.
package enum ChainEvent: Sendable, Hashable {
    case stepStarted(String)
    /// A piece of a step's text, where that step streams.
    case stepText(String, String)
    /// A guard of a step's template fired; with `refuse` the step fails next.
    case guardFired(String, GuardRecord)
    case stepFinished(String, output: JSONValue)
    case stepSkipped(String)
    case stepFailed(String, code: String, message: String)
    /// The last event: the chain's output, and the tokens of all its steps.
    case finished(output: JSONValue, usage: TokenUsage)
}

/// A chain's run under way. Ending the iteration early cancels the work.
package struct ChainAnswer: Sendable {
    package var stamp: AnswerStamp
    package var events: AsyncThrowingStream<ChainEvent, any Error>

    package init(stamp: AnswerStamp, events: AsyncThrowingStream<ChainEvent, any Error>) {
        self.stamp = stamp
        self.events = events
    }
}

/// An endpoint in a list.
package struct EndpointListing: Sendable, Hashable {
    package var name: EndpointName
    package var revision: Revision
    /// When the revision began to serve.
    package var since: Timestamp
    /// The most bytes that a request body may have.
    package var maxBodyBytes: Int64

    package init(name: EndpointName, revision: Revision, since: Timestamp, maxBodyBytes: Int64) {
        self.name = name
        self.revision = revision
        self.since = since
        self.maxBodyBytes = maxBodyBytes
    }
}

/// Why a call was not answered, in words for the caller.
package struct CallError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable {
        /// Unknown, or not for this caller: the two answer alike.
        case endpointNotFound
        /// The revision that the call pins does not serve.
        case revisionNotFound
        case invalidInput
        /// What the caller asks is refused by a guard of a template.
        case guardRefused
        case unsupportedParameter
        /// The message gives both token counts.
        case promptTooLong
        /// The endpoint has no revision that serves, or is going away.
        case unavailable
        case queueFull
        /// Asked too often or too much for now; it helps to wait.
        case rateLimited
        /// What was granted is used up; it does not help to wait.
        case quotaExceeded
        case queueTimeout
        /// `limits.timeout` is over.
        case timeout
        /// A step or the model failed.
        case failed
        /// The drain time-out ended the answer.
        case interrupted
    }

    package var code: Code
    package var message: String
    /// The request's field at fault, where one is: `messages`, `temperature`.
    package var parameter: String?
    /// Seconds after which to try again, where that helps.
    package var retryAfter: Int?
    /// What only the operator is told, in the log: servers elsewhere by their addresses, and what these say.
    package var detail: String?

    package init(
        _ code: Code,
        _ message: String,
        parameter: String? = nil,
        retryAfter: Int? = nil,
        detail: String? = nil
    ) {
        self.code = code
        self.message = message
        self.parameter = parameter
        self.retryAfter = retryAfter
        self.detail = detail
    }
}

/// What callers can ask of endpoints: the gateway's way into Serving.
package protocol EndpointService: Sendable {
    /// The endpoints that the caller may use and that serve, sorted by name.
    func listings(for caller: Caller) -> [EndpointListing]

    /// One endpoint. Throws `endpointNotFound` when it is unknown or forbidden, `unavailable` when nothing serves.
    func listing(of endpoint: EndpointName, for caller: Caller) throws(CallError) -> EndpointListing

    /// Chat and plain completion. Throws ``CallError``, here before the first byte or later in the stream.
    func text(_ call: EndpointCall<TextRequest>) async throws -> TextAnswer

    /// The same for a caller that has no use for a part of the answer: gives its events to `receive`, in order but from
    /// any thread, and returns when it is complete.
    func text(
        _ call: EndpointCall<TextRequest>,
        receive: @escaping @Sendable (CompletionEvent) throws -> Void
    ) async throws -> AnswerStamp

    /// Embeddings of texts, by an endpoint that serves a bare model with embeddings.
    func embeddings(_ call: EndpointCall<[String]>) async throws -> EmbeddingAnswer

    /// Runs the endpoint's chain on its own input.
    func chain(_ call: EndpointCall<JSONValue>) async throws -> ChainAnswer

    /// The same for a caller that has no use for a part of the answer, as with text.
    func chain(
        _ call: EndpointCall<JSONValue>,
        receive: @escaping @Sendable (ChainEvent) throws -> Void
    ) async throws -> AnswerStamp

    /// Tensors from an endpoint that serves a bare model of tensors. Throws `invalidInput` where it serves anything
    /// else, and where the tensors are not the model's.
    func tensors(_ call: EndpointCall<TensorRequest>) async throws -> TensorAnswer

    /// What an endpoint says of itself.
    ///
    /// - Parameter revision: as ``EndpointCall/revision``.
    ///
    /// Throws `endpointNotFound`, `revisionNotFound`, and `unavailable` when nothing serves.
    func metadata(
        of endpoint: EndpointName,
        revision: String?,
        for caller: Caller
    ) async throws -> ModelMetadata

    /// Every endpoint that the caller may use, whether it serves or not, sorted by name.
    func readiness(for caller: Caller) -> [EndpointReadiness]
}
