package import Planning
internal import Schema

/// Serves requests from a language model: puts the chat template around them, batches them over sessions, and turns
/// tokens into text.
package final class LanguageModelServer: CompletionModel {
    package let description: ModelDescription

    /// Opens `copies` sessions; blocks while they allocate.
    package init(
        model: any LanguageModel,
        copies: Int = 1,
        chatTemplate: String? = nil,
        closeDeadline: Duration = .seconds(5),
        clock: any Clock<Duration> = ContinuousClock()
    ) throws {
        self.description = model.description
    }

    package func complete(
        _ request: CompletionRequest
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        try await self.complete(request, priority: .normal)
    }

    /// Starts an answer on the least busy copy.
    package func complete(
        _ request: CompletionRequest,
        priority: RequestPriority
    ) async throws -> AsyncThrowingStream<CompletionEvent, any Error> {
        preconditionFailure("the server's body follows")
    }

    package func embed(_ texts: [String]) async throws -> ([[Float]], TokenUsage) {
        preconditionFailure("the server's body follows")
    }

    package func close() async {}
}
