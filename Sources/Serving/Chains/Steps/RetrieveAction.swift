internal import Planning
internal import Schema

/// `retrieve`: pieces of a knowledge base, the best first, each with its document and span.
struct RetrieveAction: StepPerformer {
    let base: ResourceIdentity
    /// The model that makes vectors of queries; nil where words alone are looked for.
    let embedding: ResourceIdentity?
    let top: Int
    let minScore: Double?

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        guard let query = input["query"]?.plainQuery else {
            let message = "step '\(context.path)': its query refers to nothing, or to no text"
            throw CallError(context.step.blame(forInput: "query"), message)
        }
        guard let index = context.run.resources.knowledge[self.base] else {
            throw CallError(.unavailable, "step '\(context.path)': \(self.base) is not ready", retryAfter: 1)
        }
        let passages = try await index.search(
            KnowledgeQuery(text: query, top: self.top, minScore: self.minScore),
            embed: { texts in
                guard let name = self.embedding, let model = context.run.resources.models[name] else {
                    throw CallError(.unavailable, "step '\(context.path)' has no model to embed with", retryAfter: 1)
                }
                let (vectors, usage) = try await model.embed(texts)
                context.spend(usage)
                return vectors
            }
        )
        context.trace.note { $0.passages = passages }
        return StepAnswer(output: .array(passages.map(\.json)))
    }
}

extension Passage {
    /// As chains see it.
    fileprivate var json: JSONValue {
        [
            "document": .string(self.document), "digest": .string(self.documentDigest),
            "start": .integer(Int64(self.start)), "end": .integer(Int64(self.end)), "text": .string(self.text),
            "score": .number(self.score),
        ]
    }
}

extension JSONValue {
    /// The text to look for; nil where there is none.
    fileprivate var plainQuery: String? {
        guard let text = self.string, text.contains(where: { !$0.isWhitespace }) else { return nil }
        return text
    }
}
