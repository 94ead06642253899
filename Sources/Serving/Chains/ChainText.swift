internal import Planning
internal import Schema

/// Makes one text out of a chain's events: the words of the step that answers are passed on as they come. Pure.
///
/// A step answers for certain once every candidate before it was skipped; until then its words are kept back.
struct ChainText: Sendable {
    private let candidates: [String]
    /// Of the chain's output, when everything is done: what the answer's text is.
    private let finalText: @Sendable (JSONValue) -> String?
    /// The first candidate that was not skipped.
    private var favourite = 0
    private var keptBack: [String: String] = [:]
    private var finishReasons: [String: FinishReason] = [:]
    private var hasStreamed = false

    /// - Parameters:
    ///   - candidates: the steps whose text may be the answer, in order of preference; none when the answer is made
    ///     out of the chain's output in any other way.
    ///   - finalText: the answer's text for the chain's output; nil when there is none.
    init(candidates: [String], finalText: @escaping @Sendable (JSONValue) -> String?) {
        self.candidates = candidates
        self.finalText = finalText
    }

    /// The pieces of the answer that an update leads to. Throws `failed` when the output makes no text.
    mutating func receive(_ update: ChainUpdate) throws(CallError) -> [CompletionEvent] {
        switch update.event {
        case .stepStarted, .stepFailed: return []
        case .stepText(let step, let text):
            guard self.candidates.contains(step) else { return [] }
            self.keptBack[step, default: ""] += text
            return self.release()
        case .stepFinished(let step, _):
            self.finishReasons[step] = update.finishReason
            return []
        case .stepSkipped(let step):
            guard self.favourite < self.candidates.count, self.candidates[self.favourite] == step else {
                self.keptBack[step] = nil
                return []
            }
            self.favourite += 1
            return self.release()
        case .finished(let output, let usage):
            let reason = self.answeringStep.flatMap { self.finishReasons[$0] } ?? .stop
            if self.hasStreamed { return [.finished(reason, usage)] }
            guard let text = self.finalText(output) else {
                throw CallError(.failed, "the endpoint's chat.output refers to nothing in the chain's output")
            }
            return [.text(text, logProbabilities: []), .finished(reason, usage)]
        }
    }

    private var answeringStep: String? {
        self.favourite < self.candidates.count ? self.candidates[self.favourite] : nil
    }

    private mutating func release() -> [CompletionEvent] {
        guard let step = self.answeringStep, let text = self.keptBack.removeValue(forKey: step), !text.isEmpty else {
            return []
        }
        self.hasStreamed = true
        return [.text(text, logProbabilities: [])]
    }
}
