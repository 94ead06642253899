import Planning
import Schema
import Serving
import Synchronization

/// Endpoints whose answers a test scripts, and that remember what they were asked.
final class FakeEndpoints: EndpointService {
    typealias TextScript =
        @Sendable (EndpointCall<TextRequest>) async throws -> AsyncThrowingStream<CompletionEvent, any Error>
    typealias TensorScript = @Sendable (EndpointCall<TensorRequest>) async throws -> [Tensor]

    static let desk = EndpointName(namespace: "default", name: "desk")
    static let shopDesk = EndpointName(namespace: "shop", name: "desk")
    /// An endpoint of which no revision answers, and what is said then.
    static let idle = EndpointName(namespace: "default", name: "idle")
    static let notServing = CallError(.unavailable, "endpoint 'idle' is not serving yet", retryAfter: 1)
    static let revision = Revision(Digest(of: Array("revision".utf8)))
    static let commit = "0123456789abcdef0123456789abcdef01234567"
    static let since = Timestamp(milliseconds: 1_700_000_000_000)

    let listed: [EndpointListing]
    private let answerText: TextScript
    private let answerEmbeddings: @Sendable ([String]) async throws -> [[Float]]
    private let answerChain: @Sendable (JSONValue) async throws -> [ChainEvent]
    private let answerTensors: TensorScript
    private let signature: TensorSignature?
    private let texts = Mutex<[EndpointCall<TextRequest>]>([])
    let replayed: Bool

    init(
        names: [EndpointName] = [FakeEndpoints.desk, FakeEndpoints.shopDesk],
        maxBodyBytes: Int64 = 1 << 20,
        replayed: Bool = false,
        embeddings: @escaping @Sendable ([String]) async throws -> [[Float]] = { $0.map { _ in [1, 0.5, -2] } },
        chain: @escaping @Sendable (JSONValue) async throws -> [ChainEvent] = {
            [.finished(output: $0, usage: TokenUsage())]
        },
        signature: TensorSignature? = nil,
        tensors: @escaping TensorScript = { $0.body.inputs },
        text: @escaping TextScript = { _ in FakeEndpoints.stream(["Hello", " there"]) }
    ) {
        self.listed = names.map {
            EndpointListing(name: $0, revision: Self.revision, since: Self.since, maxBodyBytes: maxBodyBytes)
        }
        self.replayed = replayed
        self.answerEmbeddings = embeddings
        self.answerChain = chain
        self.answerText = text
        self.signature = signature
        self.answerTensors = tensors
    }

    /// The text calls so far.
    var textCalls: [EndpointCall<TextRequest>] { self.texts.withLock { $0 } }

    private func stamp(_ endpoint: EndpointName) -> AnswerStamp {
        AnswerStamp(
            variant: VariantID(namespace: endpoint.namespace, endpoint: endpoint.name),
            revision: Self.revision,
            commit: Self.commit,
            replayed: self.replayed
        )
    }

    func listings(for caller: Caller) -> [EndpointListing] { self.listed }

    func listing(of endpoint: EndpointName, for caller: Caller) throws(CallError) -> EndpointListing {
        if endpoint == Self.idle { throw Self.notServing }
        guard let listing = self.listed.first(where: { $0.name == endpoint }) else {
            throw CallError(.endpointNotFound, "there is no endpoint '\(endpoint.name)'", parameter: "model")
        }
        return listing
    }

    func text(_ call: EndpointCall<TextRequest>) async throws -> TextAnswer {
        self.texts.withLock { $0.append(call) }
        return TextAnswer(stamp: self.stamp(call.endpoint), events: try await self.answerText(call))
    }

    func text(
        _ call: EndpointCall<TextRequest>,
        receive: @escaping @Sendable (CompletionEvent) throws -> Void
    ) async throws -> AnswerStamp {
        let answer = try await self.text(call)
        for try await event in answer.events { try receive(event) }
        try Task.checkCancellation()
        return answer.stamp
    }

    func embeddings(_ call: EndpointCall<[String]>) async throws -> EmbeddingAnswer {
        EmbeddingAnswer(
            stamp: self.stamp(call.endpoint),
            vectors: try await self.answerEmbeddings(call.body),
            usage: TokenUsage(promptTokens: call.body.count * 4)
        )
    }

    func chain(_ call: EndpointCall<JSONValue>) async throws -> ChainAnswer {
        let events = try await self.answerChain(call.body)
        return ChainAnswer(
            stamp: self.stamp(call.endpoint),
            events: AsyncThrowingStream { continuation in
                for event in events { continuation.yield(event) }
                continuation.finish()
            }
        )
    }

    func chain(
        _ call: EndpointCall<JSONValue>,
        receive: @escaping @Sendable (ChainEvent) throws -> Void
    ) async throws -> AnswerStamp {
        let answer = try await self.chain(call)
        for try await event in answer.events { try receive(event) }
        try Task.checkCancellation()
        return answer.stamp
    }

    func tensors(_ call: EndpointCall<TensorRequest>) async throws -> TensorAnswer {
        TensorAnswer(stamp: self.stamp(call.endpoint), outputs: try await self.answerTensors(call))
    }

    func metadata(of endpoint: EndpointName, revision: String?, for caller: Caller) async throws -> ModelMetadata {
        let listing = try self.listing(of: endpoint, for: caller)
        if let revision, !listing.revision.digest.hex.hasPrefix(revision) {
            throw CallError(.revisionNotFound, "endpoint '\(endpoint.name)' has no version '\(revision)'")
        }
        return ModelMetadata(
            revision: listing.revision,
            versions: [listing.revision],
            engine: "scripted",
            tensors: self.signature,
            generates: self.signature == nil,
            embeddingWidth: nil
        )
    }

    func readiness(for caller: Caller) -> [EndpointReadiness] {
        let idle = EndpointReadiness(name: Self.idle, revision: nil, isReady: false, reason: "no revision serves yet")
        return self.listed.map {
            EndpointReadiness(name: $0.name, revision: $0.revision, isReady: true, reason: "")
        } + [idle]
    }

    /// An answer in these pieces, of 7 prompt tokens and one token each, that ends well unless `error` is given.
    static func stream(
        _ pieces: [String],
        reason: FinishReason = .stop,
        logProbabilities: Bool = false,
        cachedTokens: Int = 0,
        error: CallError? = nil
    ) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { continuation in
            for piece in pieces {
                continuation.yield(
                    .text(piece, logProbabilities: logProbabilities ? [self.probability(of: piece)] : [])
                )
            }
            if let error {
                continuation.finish(throwing: error)
            } else {
                let usage = TokenUsage(
                    promptTokens: 7,
                    completionTokens: pieces.count,
                    cachedTokens: cachedTokens
                )
                continuation.yield(.finished(reason, usage))
                continuation.finish()
            }
        }
    }

    private static func probability(of text: String) -> TokenLogProbability {
        TokenLogProbability(
            text: text,
            bytes: Array(text.utf8),
            logProbability: -0.5,
            alternatives: [
                TokenLogProbability(text: text, bytes: Array(text.utf8), logProbability: -0.5, alternatives: []),
                TokenLogProbability(text: "x", bytes: [120], logProbability: -.infinity, alternatives: []),
            ]
        )
    }
}
