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
        // One event of each choice at a time is taken, so that what nobody reads stays where it is bounded.
        try await withThrowingTaskGroup(of: Arrival.self) { group in
            for choice in 0..<self.call.choiceCount {
                group.addTask {
                    try await Self.next(choice, of: choice == 0 ? self.first : self.ask(choice))
                }
            }
            while let arrival = try await group.next() {
                guard let event = arrival.event else { continue }
                try await body(arrival.choice, event)
                group.addTask { try await Self.next(arrival.choice, of: arrival.answer) }
            }
        }
    }

    /// The next event of a choice, and where those after it come from; no event at the end.
    private struct Arrival: Sendable {
        let choice: Int
        let answer: TextAnswer
        let event: CompletionEvent?
    }

    private static func next(_ choice: Int, of answer: TextAnswer) async throws -> Arrival {
        var events = answer.events.makeAsyncIterator()
        return Arrival(choice: choice, answer: answer, event: try await events.next())
    }
}
