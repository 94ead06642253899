import Planning
import Schema
import TestSupport

@testable import Serving

/// A server on top of the scripted engine, and what tests ask of it.
struct ServerFixture {
    let server: LanguageModelServer
    let control: ScriptedControl

    init(_ engine: ScriptedEngine, copies: Int = 1, adapters: [String] = []) throws {
        let adapters = adapters.map { ModelOpening.Adapter(name: $0, file: "/adapters/\($0)", scale: 1) }
        let opened = try engine.open(ModelOpening(file: "/models/any.gguf", adapters: adapters))
        guard case .language(let model) = opened else {
            throw MartletError("NotALanguageModel", "the scripted engine opened something else")
        }
        self.server = try LanguageModelServer(model: model, copies: copies)
        self.control = engine.control
    }

    func chat(_ text: String, _ change: (inout CompletionRequest) -> Void = { _ in }) async throws -> Answer {
        var request = CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: text)]))
        change(&request)
        return try await Answer(self.server.complete(request))
    }
}

/// A whole answer.
struct Answer {
    var text = ""
    /// As they came.
    var pieces: [String] = []
    var logProbabilities: [TokenLogProbability] = []
    var toolCalls: [ToolCallPiece] = []
    var finish: FinishReason?
    var usage: TokenUsage?

    init(_ events: AsyncThrowingStream<CompletionEvent, any Error>) async throws {
        for try await event in events {
            switch event {
            case .text(let text, let logProbabilities):
                self.text += text
                self.pieces.append(text)
                self.logProbabilities += logProbabilities
            case .toolCall(let piece):
                self.toolCalls.append(piece)
            case .finished(let reason, let usage):
                self.finish = reason
                self.usage = usage
            }
        }
    }
}
