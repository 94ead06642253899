package import Planning
internal import Schema
internal import Synchronization

/// A recording as a model: deterministic, streamed word by word, without log-probabilities.
package final class ReplayModel: CompletionModel {
    package let description: ModelDescription
    private let recording: Recording
    private let isClosed = Mutex(false)

    init(recording: Recording, fileBytes: Int64, contextLength: Int) {
        self.recording = recording
        self.description = ModelDescription(
            architecture: "recording",
            weightBytes: fileBytes,
            sessionBytes: 0,
            contextLength: contextLength,
            slots: 64,
            generates: true
        )
    }

    package func complete(
        _ request: CompletionRequest
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        try self.requireOpen("ModelClosed")
        if let adapter = request.adapters.first {
            throw MartletError("UnknownAdapter", "a recording has no adapters, but '\(adapter)' is asked for")
        }
        try ReplayModel.refuseWhatIsNotRecorded(request)
        let promptTokens = ReplayModel.tokens(of: request.prompt)
        guard promptTokens <= self.description.contextLength else {
            throw MartletError(
                "PromptTooLong",
                "the prompt has \(promptTokens) words, the context \(self.description.contextLength)"
            )
        }
        let events = Mutex(try self.events(for: request, promptTokens: promptTokens)[...])
        return AsyncThrowingStream {
            try self.requireOpen("Aborted")
            return events.withLock { $0.popFirst() }
        }
    }

    package func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        throw MartletError("ModelUnsupported", "a recording gives no embeddings")
    }

    package func close() async {
        self.isClosed.withLock { $0 = true }
    }

    private func requireOpen(_ code: String) throws {
        guard !self.isClosed.withLock({ $0 }) else { throw MartletError(code, "the model was closed") }
    }

    private func events(for request: CompletionRequest, promptTokens: Int) throws -> [CompletionEvent] {
        let answer = try self.recording.answer(to: request.prompt)
        let words = ReplayModel.words(of: ReplayModel.cut(answer, before: request.stop))
        let limit = max(request.maxTokens ?? words.count, 0)
        let said = words.prefix(limit)
        let usage = TokenUsage(promptTokens: promptTokens, completionTokens: said.count)
        let reason: FinishReason = said.count < words.count ? .length : .stop
        return said.map { .text($0, logProbabilities: []) } + [.finished(reason, usage)]
    }

    /// A recording holds texts only, without tokens or their likelihoods.
    private static func refuseWhatIsNotRecorded(_ request: CompletionRequest) throws {
        let wanted = [
            ("tools", request.tools != nil),
            ("logprobs", request.topLogProbabilities != nil),
            ("logit_bias", !request.sampling.logitBias.isEmpty),
        ]
        guard let (name, _) = wanted.first(where: \.1) else { return }
        throw MartletError("UnsupportedParameter", "'\(name)' is not supported: the endpoint's model is a recording")
    }

    /// Cuts a text before the first place where one of `stops` begins.
    private static func cut(_ text: String, before stops: [String]) -> Substring {
        var end = text.endIndex
        for stop in stops where !stop.isEmpty {
            if let range = text.firstRange(of: stop) { end = min(end, range.lowerBound) }
        }
        return text[..<end]
    }

    /// The words of a text, each with the white space before it; together they are the text.
    private static func words(of text: Substring) -> [String] {
        var words: [String] = []
        var rest = text
        while !rest.isEmpty {
            let space = rest.prefix { $0.isWhitespace }
            let word = rest.dropFirst(space.count).prefix { !$0.isWhitespace }
            if word.isEmpty, let last = words.indices.last {
                words[last] += space
            } else {
                words.append(String(space + word))
            }
            rest = rest[word.endIndex...]
        }
        return words
    }

    private static func tokens(of prompt: CompletionRequest.Prompt) -> Int {
        switch prompt {
        case .chat(let messages): messages.reduce(0) { $0 + ReplayModel.words(of: $1.content[...]).count }
        case .text(let text): ReplayModel.words(of: text[...]).count
        }
    }
}
