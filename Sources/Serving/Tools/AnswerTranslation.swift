internal import Planning
internal import Schema
internal import Synchronization

/// Turns the text that a model writes into the events of an answer that may call functions.
final class AnswerTranslation: Sendable {
    fileprivate struct State {
        var reader: ToolCallReader
        /// Of text that is held back.
        var logProbabilities: [TokenLogProbability] = []
        var failure: MartletError?
    }

    private let state: Mutex<State>

    init(_ reader: ToolCallReader) {
        self.state = Mutex(State(reader: reader))
    }

    /// Why the answer could not be read, if it could not.
    var failure: MartletError? { self.state.withLock { $0.failure } }

    /// What the next event of the model means; nothing after a failure.
    func translate(_ event: CompletionEvent) -> [CompletionEvent] {
        self.state.withLock { state in
            guard state.failure == nil else { return [] }
            do throws(MartletError) {
                return try state.translate(event)
            } catch {
                state.failure = error
                return []
            }
        }
    }
}

extension AnswerTranslation.State {
    fileprivate mutating func translate(_ event: CompletionEvent) throws(MartletError) -> [CompletionEvent] {
        switch event {
        case .text(let text, let logProbabilities):
            self.logProbabilities += logProbabilities
            return try self.reader.read(text).map { self.event($0) }
        case .toolCall: return [event]
        case .finished(let reason, let usage):
            let rest = try self.reader.finish(isCut: reason == .length)
            let hasCalled = self.reader.callCount > 0 && reason == .stop
            return (rest.isEmpty ? [] : [self.event(.text(rest))])
                + [.finished(hasCalled ? .toolCalls : reason, usage)]
        }
    }

    /// Log-probabilities are those of text; the tokens of calls have none.
    private mutating func event(_ found: ToolCallReader.Found) -> CompletionEvent {
        defer { self.logProbabilities = [] }
        switch found {
        case .text(let text): return .text(text, logProbabilities: self.logProbabilities)
        case .call(let piece): return .toolCall(piece)
        }
    }
}
