internal import Planning
internal import Schema

/// Makes one text out of a chain's events: the words of the step that answers are passed on as they come. Pure.
///
/// A step answers for certain once every candidate before it was skipped; until then its words are kept back.
struct ChainText: Sendable {
    /// Of the chain's output, when everything is done: what the answer's text is.
    private let finalText: @Sendable (JSONValue) -> String?
    /// The candidates that were not skipped so far; the first of them is the one that answers.
    private var remaining: [String]
    private var keptBack: [String: String] = [:]
    private var finishReasons: [String: FinishReason] = [:]
    private var hasStreamed = false

    /// - Parameters:
    ///   - candidates: the steps whose text may be the answer, in order of preference; none when the answer is made
    ///     out of the chain's output in any other way.
    ///   - finalText: the answer's text for the chain's output; nil when there is none.
    init(candidates: [String], finalText: @escaping @Sendable (JSONValue) -> String?) {
        self.remaining = candidates
        self.finalText = finalText
    }

    /// The pieces of the answer that an update leads to. Throws `failed` when the output makes no text.
    mutating func receive(_ update: ChainUpdate) throws(CallError) -> [CompletionEvent] {
        switch update.event {
        case .stepStarted, .stepFailed, .guardFired: return []
        case .stepText(let step, let text):
            guard self.remaining.contains(step) else { return [] }
            self.keptBack[step, default: ""] += text
            return self.release()
        case .stepFinished(let step, _):
            self.finishReasons[step] = update.finishReason
            return []
        case .stepSkipped(let step):
            self.keptBack[step] = nil
            self.remaining.removeAll { $0 == step }
            return self.release()
        case .finished(let output, let usage):
            let reason = self.remaining.first.flatMap { self.finishReasons[$0] } ?? .stop
            if self.hasStreamed { return [.finished(reason, usage)] }
            guard let text = self.finalText(output) else {
                throw CallError(.failed, "the endpoint's chat.output refers to nothing in the chain's output")
            }
            return [.text(text, logProbabilities: []), .finished(reason, usage)]
        }
    }

    private mutating func release() -> [CompletionEvent] {
        guard let step = self.remaining.first, let text = self.keptBack.removeValue(forKey: step), !text.isEmpty else {
            return []
        }
        self.hasStreamed = true
        return [.text(text, logProbabilities: [])]
    }
}
