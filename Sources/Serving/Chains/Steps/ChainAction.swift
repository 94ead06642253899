internal import Planning
internal import Schema
internal import Synchronization

/// `chain`: another chain, with an input of its own.
struct ChainAction: StepPerformer {
    let chain: ChainRunner

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        do {
            try self.chain.check(input)
        } catch {
            // The fault is the caller's only where nothing but its own words came here.
            throw CallError(context.step.blame(), "step '\(context.path)': \(error.message)")
        }
        let answer = Mutex<StepAnswer?>(nil)
        let text = Mutex(ChainText(candidates: self.chain.plan.answerCandidates, finalText: { _ in "" }))
        let outer = context.run
        try await self.chain.run(input, resources: outer.resources, within: context, begin: context.trace.begin) {
            update in
            if let emit = context.emit {
                // Given away under the lock: steps report from their own tasks, and their words must keep their order.
                try text.withLock { text in
                    for case .text(let piece, _) in try text.receive(update) where !piece.isEmpty { try emit(piece) }
                }
            }
            if case .finished(let output, let usage) = update.event {
                context.trace.note { $0.usage = usage }
                answer.withLock { $0 = StepAnswer(output: output, finishReason: $0?.finishReason) }
            } else if let event = update.event.within(context.pathInRun) {
                try outer.report(ChainUpdate(event: event))
            }
        }
        guard let answer = answer.withLock({ $0 }) else { throw CancellationError() }
        return answer
    }
}

extension ChainEvent {
    /// The event as one of a step around the one that it is about; nil for what that step tells by itself.
    fileprivate func within(_ outer: String) -> ChainEvent? {
        switch self {
        case .stepStarted(let step): .stepStarted("\(outer)/\(step)")
        case .stepFinished(let step, let output): .stepFinished("\(outer)/\(step)", output: output)
        case .stepSkipped(let step): .stepSkipped("\(outer)/\(step)")
        case .stepFailed(let step, let code, let message): .stepFailed("\(outer)/\(step)", code: code, message: message)
        case .guardFired(let step, let record): .guardFired("\(outer)/\(step)", record)
        case .stepText, .finished: nil
        }
    }
}
