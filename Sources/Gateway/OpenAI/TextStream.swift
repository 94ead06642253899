internal import Hummingbird
internal import NIOCore
internal import Planning
internal import Serving

/// Writes one streamed answer, each piece as soon as it is there.
struct TextStream: Sendable {
    let call: TextCall
    let format: AnswerFormat
    let heading: AnswerHeading
    let failures: FailureLog
    /// The answer of choice 0, begun before the response's head was sent, so that its failure had a status.
    let first: TextAnswer
    /// Begins the answer of another choice.
    let ask: @Sendable (Int) async throws -> TextAnswer

    /// Writes the whole body; what fails on the way becomes the body's last event.
    @concurrent func write(to writer: inout any ResponseBodyWriter) async throws {
        do {
            try await self.writeChoices(to: &writer)
            try await writer.write(ChunkEncoder.done)
        } catch {
            try await writer.write(ChunkEncoder.failure(self.failures.told(error)))
        }
        try await writer.finish(nil)
    }

    @concurrent private func writeChoices(to writer: inout any ResponseBodyWriter) async throws {
        var encoder = ChunkEncoder(self.format, heading: self.heading, includesUsage: self.call.includesUsage)
        var usages: [Int: TokenUsage] = [:]
        for choice in 0..<self.call.choiceCount {
            if let opening = encoder.opening(ofChoice: choice) { try await writer.write(opening) }
        }
        try await self.forEachEvent { choice, event in
            switch event {
            case .text(let text, let logProbabilities):
                try await writer.write(
                    encoder.text(text, logProbabilities: logProbabilities, ofChoice: choice)
                )
            case .toolCall(let piece):
                try await writer.write(encoder.toolCall(piece, ofChoice: choice))
            case .finished(let reason, let usage):
                usages[choice] = usage
                try await writer.write(encoder.finish(reason, ofChoice: choice))
            }
        }
        try Task.checkCancellation()
        guard usages.count == self.call.choiceCount else {
            throw CallError(.failed, "The answer broke off before its end.")
        }
        if self.call.includesUsage {
            try await writer.write(encoder.usage(self.call.usage(ofChoices: usages)))
        }
    }

    /// Hands out the events of all choices, one after another; those of one choice in order.
    @concurrent private func forEachEvent(_ body: @concurrent (Int, CompletionEvent) async throws -> Void) async throws
    {
        guard self.call.choiceCount > 1 else {
            for try await event in self.first.events { try await body(0, event) }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (events, continuation) = AsyncThrowingStream<ChoiceEvent, any Error>.makeStream()
            for choice in 0..<self.call.choiceCount {
                group.addTask { await self.forward(choice, to: continuation) }
            }
            var running = self.call.choiceCount
            for try await event in events {
                switch event {
                case .event(let choice, let event): try await body(choice, event)
                case .end: running -= 1
                }
                if running == 0 { break }
            }
            group.cancelAll()
        }
    }

    private enum ChoiceEvent: Sendable {
        case event(Int, CompletionEvent)
        case end
    }

    private func forward(
        _ choice: Int,
        to continuation: AsyncThrowingStream<ChoiceEvent, any Error>.Continuation
    ) async {
        do {
            let answer = choice == 0 ? self.first : try await self.ask(choice)
            for try await event in answer.events { continuation.yield(.event(choice, event)) }
            continuation.yield(.end)
        } catch {
            continuation.finish(throwing: error)
        }
    }
}
