internal import Planning
internal import Schema
internal import Synchronization

/// Runs a chain: does what ``ChainProgress`` decides, with models, a clock and one task for each step under way.
struct ChainRunner: Sendable {
    let plan: ChainPlan
    /// The prompt steps by name.
    let prompts: [String: PromptStep]
    let clock: any Clock<Duration>

    /// What came of one step.
    private struct Outcome: Sendable {
        var step: Int
        var result: Result<PromptStep.Answer, any Error>
        var usage: TokenUsage
    }

    /// What the finished steps leave behind besides their outputs.
    private struct Tally {
        var usage = TokenUsage()
        var finishReasons: [Int: FinishReason] = [:]
    }

    /// Checks the input against the chain's schema. Throws `invalidInput`.
    func check(_ input: JSONValue) throws(CallError) {
        guard let problem = self.plan.inputSchema?.problems(in: input).first else { return }
        throw CallError(.invalidInput, "the input does not fit the chain's schema: \(problem)", parameter: problem.path)
    }

    /// Runs the chain on a checked input and reports everything that happens, the output last.
    ///
    /// Cancelling ends every step, down to the models. Throws ``CallError`` when the chain fails, and
    /// `CancellationError`.
    func run(
        _ input: JSONValue,
        models: [ResourceIdentity: any CompletionModel],
        report: @escaping @Sendable (ChainUpdate) throws -> Void
    ) async throws {
        var progress = ChainProgress(self.plan, input: input)
        var tally = Tally()
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var decisions = progress.begin()
            while true {
                for decision in decisions {
                    if try self.perform(decision, tally: tally, in: &group, models: models, report: report) { return }
                }
                guard let outcome = try await group.next() else { return }
                try Task.checkCancellation()
                tally.usage = tally.usage + outcome.usage
                switch outcome.result {
                case .success(let answer):
                    tally.finishReasons[outcome.step] = answer.finishReason
                    decisions = progress.finish(outcome.step, output: answer.output)
                case .failure(let error):
                    decisions = progress.fail(outcome.step, CallError(mapping: error))
                }
            }
        }
    }

    /// Carries one decision out. Returns whether the chain is done.
    private func perform(
        _ decision: ChainProgress.Decision,
        tally: Tally,
        in group: inout ThrowingTaskGroup<Outcome, any Error>,
        models: [ResourceIdentity: any CompletionModel],
        report: @escaping @Sendable (ChainUpdate) throws -> Void
    ) throws -> Bool {
        switch decision {
        case .run(let index, let values):
            try report(ChainUpdate(event: .stepStarted(self.plan.steps[index].name)))
            group.addTask { await self.runStep(index, values: values, models: models, report: report) }
            return false
        case .finished(let index, let output):
            let event = ChainEvent.stepFinished(self.plan.steps[index].name, output: output)
            try report(ChainUpdate(event: event, finishReason: tally.finishReasons[index]))
            return false
        case .skipped(let index):
            try report(ChainUpdate(event: .stepSkipped(self.plan.steps[index].name)))
            return false
        case .failed(let index, let error):
            let name = self.plan.steps[index].name
            try report(ChainUpdate(event: .stepFailed(name, code: error.code.rawValue, message: error.message)))
            return false
        case .answer(let output):
            try report(ChainUpdate(event: .finished(output: output, usage: tally.usage)))
            return true
        case .stop(let error):
            throw error
        }
    }

    private func runStep(
        _ index: Int,
        values: [String: JSONValue],
        models: [ResourceIdentity: any CompletionModel],
        report: @escaping @Sendable (ChainUpdate) throws -> Void
    ) async -> Outcome {
        let step = self.plan.steps[index]
        let spent = Mutex(TokenUsage())
        let result: Result<PromptStep.Answer, any Error>
        do {
            let answer = try await withDeadline(step.timeout, clock: self.clock) {
                try await self.attempt(
                    step,
                    values: values,
                    models: models,
                    spend: { usage in spent.withLock { $0 = $0 + usage } },
                    report: self.plan.mayStream[index] ? report : nil
                )
            }
            result = .success(answer)
        } catch is DeadlineExceeded {
            result = .failure(CallError(.failed, "step '\(step.name)' took longer than its timeout"))
        } catch {
            result = .failure(error)
        }
        return Outcome(step: index, result: result, usage: spent.withLock { $0 })
    }

    /// Asks until it works or the retries are used up. A step that has given words away is not tried
    /// again.
    private func attempt(
        _ step: ChainPlan.Step,
        values: [String: JSONValue],
        models: [ResourceIdentity: any CompletionModel],
        spend: @Sendable (TokenUsage) -> Void,
        report: (@Sendable (ChainUpdate) throws -> Void)?
    ) async throws -> PromptStep.Answer {
        guard let prompt = self.prompts[step.name] else {
            throw CallError(.unavailable, "step '\(step.name)' has no model to ask", retryAfter: 1)
        }
        var backoff = step.backoff
        var attempt = 0
        while true {
            let hasEmitted = Mutex(false)
            do {
                return try await prompt.ask(values, of: models, spend: spend, note: { _ in }) { piece in
                    guard let report else { return }
                    hasEmitted.withLock { $0 = true }
                    try report(ChainUpdate(event: .stepText(step.name, piece)))
                }
            } catch let problem as PromptProblem {
                throw CallError(step.blame(forVariable: problem.variable), "step '\(step.name)': \(problem.message)")
            } catch {
                let failure = CallError(mapping: error)
                let isFinal = attempt >= step.retries || hasEmitted.withLock { $0 } || !failure.mayPass
                if isFinal || Task.isCancelled { throw failure }
            }
            attempt += 1
            try await self.clock.sleep(for: backoff)
            backoff = min(backoff * 2, .seconds(60))
        }
    }
}

extension ChainPlan.Step {
    /// Whose fault a variable's value is: the caller's when it comes from the chain's input alone.
    fileprivate func blame(forVariable variable: String) -> CallError.Code {
        switch self.action {
        case .set: .failed
        case .prompt(let values):
            values[variable].map { $0.references.allSatisfy(\.isIntoInput) && !$0.references.isEmpty } ?? false
                ? .invalidInput : .failed
        }
    }
}
