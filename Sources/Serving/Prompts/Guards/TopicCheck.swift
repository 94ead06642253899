internal import Planning
internal import Schema
internal import Synchronization

/// Tells how near texts are to the topics that a guard allows.
final class TopicCheck: Sendable {
    /// How near one text is.
    enum Nearness: Sendable, Hashable {
        /// The greatest cosine with an allowed text, -1 to 1.
        case similarity(Double)
        /// The embedding model does not read as much.
        case tooLong
    }

    let topics: PromptTemplateSpec.Topics
    private let model: ResourceIdentity
    /// Of the allowed texts, of length 1; made with the first request.
    private let allowed = Mutex<[[Float]]?>(nil)

    init(_ topics: PromptTemplateSpec.Topics, model: ResourceIdentity) {
        self.topics = topics
        self.model = model
    }

    /// How near a text is, and the tokens that it took to tell.
    func nearness(
        of text: String,
        models: [ResourceIdentity: any CompletionModel]
    ) async throws -> (Nearness, TokenUsage) {
        guard let model = models[self.model] else {
            throw CallError(.unavailable, "\(self.model), which a guard asks, is not loaded", retryAfter: 1)
        }
        var (allowed, usage) = (self.allowed.withLock { $0 } ?? [], TokenUsage())
        if allowed.isEmpty {
            let (vectors, tokens) = try await model.embed(self.topics.allow)
            (allowed, usage) = (vectors.map(Self.normalized), tokens)
            self.allowed.withLock { [allowed] in $0 = allowed }
        }
        do {
            let (vectors, tokens) = try await model.embed([text])
            let vector = Self.normalized(vectors.first ?? [])
            let similarities = allowed.map { zip($0, vector).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
            return (.similarity(similarities.max() ?? -1), usage + tokens)
        } catch let error as MartletError where error.code == "PromptTooLong" {
            return (.tooLong, usage)
        }
    }

    private static func normalized(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? vector.map { $0 / length } : vector
    }
}
