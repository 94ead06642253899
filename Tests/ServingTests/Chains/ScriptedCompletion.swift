import Planning
import Schema
import Synchronization

@testable import Serving

/// A model that answers whole requests as a test says.
final class ScriptedCompletion: CompletionModel {
    enum Reply: Sendable {
        /// These pieces, then the end.
        case says([String], FinishReason = .stop)
        case fails(any Error)
        /// This piece, and then a failure that may pass.
        case breaksOff(String)
        /// The test speaks, by the next of ``calls``.
        case waits
    }

    /// One request whose answer the test speaks.
    struct Call: Sendable {
        let request: CompletionRequest
        fileprivate let output: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
        /// Finishes when nobody listens any more.
        let listeners: AsyncStream<Never>

        func say(_ text: String) {
            self.output.yield(.text(text, logProbabilities: []))
        }

        func finish(_ reason: FinishReason = .stop) {
            self.output.yield(.finished(reason, ScriptedCompletion.usage))
            self.output.finish()
        }

        func fail(_ error: any Error) {
            self.output.finish(throwing: error)
        }

        /// Suspends until the one who asked has gone.
        func waitUntilAbandoned() async {
            for await _ in self.listeners {}
        }
    }

    /// What every answer costs.
    static let usage = TokenUsage(promptTokens: 3, completionTokens: 2)

    let description = ModelDescription(
        architecture: "scripted",
        weightBytes: 1,
        sessionBytes: 1,
        contextLength: 512,
        slots: 4,
        embeddingWidth: 2,
        generates: true,
        vocabularySize: 1
    )
    /// The answers that wait for the test to speak, as they are asked for.
    let calls: AsyncStream<Call>
    private let callContinuation: AsyncStream<Call>.Continuation
    private let countsTokens: Bool
    private let script: @Sendable (CompletionRequest, Int) -> Reply
    private let log = Mutex<[CompletionRequest]>([])

    /// - Parameters:
    ///   - countsTokens: whether it tells how many there are: one for each word.
    ///   - script: the reply to a request, and how many were made before it.
    init(countsTokens: Bool = false, _ script: @escaping @Sendable (CompletionRequest, Int) -> Reply) {
        self.countsTokens = countsTokens
        self.script = script
        (self.calls, self.callContinuation) = AsyncStream.makeStream()
    }

    /// Every request so far.
    var requests: [CompletionRequest] { self.log.withLock { $0 } }

    /// The next answer that waits for the test to speak.
    func nextCall() async -> Call {
        for await call in self.calls { return call }
        fatalError("the calls never end")
    }

    func complete(_ request: CompletionRequest) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        let number = self.log.withLock { log in
            log.append(request)
            return log.count - 1
        }
        let (events, output) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
        switch self.script(request, number) {
        case .says(let pieces, let reason):
            for piece in pieces { output.yield(.text(piece, logProbabilities: [])) }
            output.yield(.finished(reason, Self.usage))
            output.finish()
        case .fails(let error): throw error
        case .breaksOff(let piece):
            output.yield(.text(piece, logProbabilities: []))
            output.finish(throwing: CallError(.failed, "broken off"))
        case .waits:
            let (listeners, listening) = AsyncStream<Never>.makeStream()
            output.onTermination = { _ in listening.finish() }
            self.callContinuation.yield(Call(request: request, output: output, listeners: listeners))
        }
        return events
    }

    /// Poems point in a direction of their own.
    func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        let vectors = texts.map { $0.contains("poem") ? [0, Float($0.count)] : [Float($0.count), 0] }
        return (vectors, TokenUsage(promptTokens: texts.count))
    }

    func countTokens(of texts: [String]) async throws -> Int? {
        self.countsTokens ? texts.reduce(0) { $0 + $1.split(separator: " ").count } : nil
    }

    func close() async {}
}

extension CompletionRequest {
    /// The content of the last message.
    var lastMessage: String {
        switch self.prompt {
        case .chat(let messages): messages.last?.content ?? ""
        case .text(let text): text
        }
    }
}
