internal import Planning
internal import Schema
internal import Synchronization

/// Runs a chain: does what ``ChainProgress`` decides, with a task for each step under way.
struct ChainRunner: Sendable {
    let plan: ChainPlan
    /// What the steps do, by path.
    let actions: [String: any StepPerformer]
    let clock: any Clock<Duration>

    /// What came of one step.
    private struct Outcome: Sendable {
        var step: Int
        var result: Result<StepAnswer, any Error>
    }

    /// Checks the input against the chain's schema. Throws `invalidInput`.
    func check(_ input: JSONValue) throws(CallError) {
        guard let problem = self.plan.inputSchema?.problems(in: input).first else { return }
        throw CallError(.invalidInput, "the input does not fit the chain's schema: \(problem)", parameter: problem.path)
    }

    /// The paths of the steps, here and in the chains that it runs, that ask a model for text.
    func steps(asking model: ResourceIdentity) -> [String] {
        var paths: [String] = []
        for (path, action) in self.actions {
            if let prompt = action as? PromptAction, prompt.prompt.model == model { paths.append(path) }
            if let agent = action as? AgentAction, agent.model == model { paths.append(path) }
            if let chain = action as? ChainAction {
                paths += chain.chain.steps(asking: model).map { "\(path)/\($0)" }
            }
        }
        return paths.sorted()
    }

    /// Runs the chain on a checked input and reports everything that happens, the output last.
    ///
    /// Cancelling ends every step, down to the models. Throws ``CallError`` when the chain fails, and
    /// `CancellationError`.
    ///
    /// - Parameters:
    ///   - outer: the step that has this chain run.
    ///   - begin: notes that a step begins.
    func run(
        _ input: JSONValue,
        resources: RunnerResources,
        within outer: StepContext? = nil,
        begin: @escaping @Sendable (_ name: String, _ type: String) -> StepTrace,
        report: @escaping @Sendable (ChainUpdate) throws -> Void
    ) async throws {
        let run = ChainRun(self.plan, resources: resources, clock: self.clock, within: outer, report: report)
        do {
            try await withDeadline(self.plan.limits.timeout?.duration, clock: self.clock) {
                try await self.advance(run, input, begin: begin)
            }
        } catch is DeadlineExceeded {
            throw CallError(.timeout, "\(self.plan.name) took longer than its limits.timeout")
        } catch let spent as BudgetSpent where outer == nil {
            throw spent.callError
        }
    }

    private func advance(
        _ run: ChainRun,
        _ input: JSONValue,
        begin: @escaping @Sendable (String, String) -> StepTrace
    ) async throws {
        var progress = ChainProgress(self.plan, input: input)
        var finishReasons: [Int: FinishReason] = [:]
        var traces: [Int: StepTrace] = [:]
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var decisions = progress.begin()
            while true {
                for decision in decisions {
                    if let index = decision.step, traces[index] == nil {
                        traces[index] = begin(self.plan.steps[index].name, self.plan.steps[index].type)
                    }
                    if case .run(let index, let work) = decision, let trace = traces[index] {
                        try run.report(ChainUpdate(event: .stepStarted(self.plan.steps[index].name)))
                        group.addTask { await self.runStep(index, work, run: run, trace: trace) }
                    } else if try self.settle(decision, finishReasons, traces, of: run) {
                        return
                    }
                }
                guard let outcome = try await group.next() else { return }
                try Task.checkCancellation()
                switch outcome.result {
                case .success(let answer):
                    finishReasons[outcome.step] = answer.finishReason
                    decisions = progress.finish(outcome.step, output: answer.output)
                case .failure(let spent as BudgetSpent):
                    traces[outcome.step]?.fail(spent.callError)
                    throw spent
                case .failure(let error):
                    decisions = progress.fail(outcome.step, CallError(mapping: error))
                }
            }
        }
    }

    /// Reports and notes what a step came to. Returns whether the chain is done.
    private func settle(
        _ decision: ChainProgress.Decision,
        _ finishReasons: [Int: FinishReason],
        _ traces: [Int: StepTrace],
        of run: ChainRun
    ) throws -> Bool {
        switch decision {
        case .run: break
        case .finished(let index, let output):
            traces[index]?.finish(output)
            let event = ChainEvent.stepFinished(self.plan.steps[index].name, output: output)
            try run.report(ChainUpdate(event: event, finishReason: finishReasons[index]))
        case .skipped(let index):
            traces[index]?.skip()
            try run.report(ChainUpdate(event: .stepSkipped(self.plan.steps[index].name)))
        case .failed(let index, let error):
            traces[index]?.fail(error)
            let name = self.plan.steps[index].name
            try run.report(ChainUpdate(event: .stepFailed(name, code: error.code.rawValue, message: error.message)))
        case .answer(let output):
            try run.report(ChainUpdate(event: .finished(output: output, usage: run.usage)))
            return true
        case .stop(let error):
            throw error
        }
        return false
    }

    private func runStep(_ index: Int, _ work: StepWork, run: ChainRun, trace: StepTrace) async -> Outcome {
        let step = self.plan.steps[index]
        let mayStream = run.mayStream && self.plan.mayStream[index]
        let emit = { @Sendable (text: String) in try run.report(ChainUpdate(event: .stepText(step.name, text))) }
        do {
            let answer = try await self.perform(work, of: step, run: run, trace: trace, emit: mayStream ? emit : nil)
            return Outcome(step: index, result: .success(answer))
        } catch {
            return Outcome(step: index, result: .failure(error))
        }
    }
}

extension ChainRunner {
    /// Does a step's work within its time.
    fileprivate func perform(
        _ work: StepWork,
        of step: ChainPlan.Step,
        run: ChainRun,
        trace: StepTrace,
        emit: (@Sendable (String) throws -> Void)?
    ) async throws -> StepAnswer {
        do {
            return try await withDeadline(step.timeout, clock: self.clock) {
                try await self.attempt(work, of: step, run: run, trace: trace, emit: emit)
            }
        } catch is DeadlineExceeded {
            throw CallError(.failed, "step '\(step.path)' took longer than its timeout")
        }
    }

    /// Tries until it works or the retries are used up. A step that has given words away is not tried again.
    private func attempt(
        _ work: StepWork,
        of step: ChainPlan.Step,
        run: ChainRun,
        trace: StepTrace,
        emit: (@Sendable (String) throws -> Void)?
    ) async throws -> StepAnswer {
        var backoff = step.backoff
        var attempt = 0
        while true {
            let hasEmitted = Atomic(false)
            let emit = emit.map { emit in
                { @Sendable (text: String) in
                    hasEmitted.store(true, ordering: .relaxed)
                    try emit(text)
                }
            }
            try run.countStep()
            trace.note { $0.attempts += 1 }
            do {
                let answer = try await self.once(work, of: step, run: run, trace: trace, emit: emit)
                try OutputLimit.check(answer.output, of: step)
                return answer
            } catch let spent as BudgetSpent {
                throw spent
            } catch {
                let failure = CallError(mapping: error)
                let isFinal = attempt >= step.retries || hasEmitted.load(ordering: .relaxed) || !failure.mayPass
                if isFinal || Task.isCancelled { throw failure }
            }
            attempt += 1
            try await self.clock.sleep(for: backoff)
            backoff = min(backoff * 2, .seconds(60))
        }
    }

    private func once(
        _ work: StepWork,
        of step: ChainPlan.Step,
        run: ChainRun,
        trace: StepTrace,
        emit: (@Sendable (String) throws -> Void)?
    ) async throws -> StepAnswer {
        switch work {
        case .call(let input):
            guard let action = self.actions[step.path] else {
                throw CallError(.unavailable, "step '\(step.path)' has nothing to ask", retryAfter: 1)
            }
            trace.note { $0.input = input }
            return try await action.perform(input, in: StepContext(run: run, step: step, trace: trace, emit: emit))
        case .group(let members):
            return StepAnswer(output: try await self.runTogether(members, of: step, run: run, trace: trace))
        case .settled(let value): return StepAnswer(output: value)
        case .failed(let error): throw error
        // Only members of a group come here so; they are seen to there.
        case .skipped: return StepAnswer(output: .null)
        }
    }

    /// Does the members of a group at once, and makes one output of theirs.
    private func runTogether(
        _ members: [StepWork.Member],
        of step: ChainPlan.Step,
        run: ChainRun,
        trace: StepTrace
    ) async throws -> JSONValue {
        let outputs = try await withThrowingTaskGroup(of: (Int, JSONValue?).self) { group in
            for (index, (member, work)) in zip(step.members, members).enumerated() {
                let trace = trace.begin(member.name, type: member.type)
                group.addTask { (index, try await self.runMember(member, work, run: run, trace: trace)) }
            }
            var outputs = [JSONValue?](repeating: nil, count: members.count)
            for try await (index, output) in group { outputs[index] = output }
            return outputs
        }
        let named = zip(step.members, outputs).compactMap { member, output in output.map { (member.name, $0) } }
        switch step.action {
        case .ensemble(let combination):
            return try combination.combine(named.map(\.1), of: "step '\(step.path)'")
        case .parallel, .call, .set:
            return .object(Dictionary(named) { first, _ in first })
        }
    }

    /// The output of a member of a group; nil where it is left out.
    private func runMember(
        _ step: ChainPlan.Step,
        _ member: StepWork.Member,
        run: ChainRun,
        trace: StepTrace
    ) async throws -> JSONValue? {
        if case .skipped = member.work {
            trace.skip()
            try run.report(ChainUpdate(event: .stepSkipped(step.path)))
            return nil
        }
        do {
            try run.report(ChainUpdate(event: .stepStarted(step.path)))
            let output = try await self.perform(member.work, of: step, run: run, trace: trace, emit: nil).output
            trace.finish(output)
            try run.report(ChainUpdate(event: .stepFinished(step.path, output: output)))
            return output
        } catch let spent as BudgetSpent {
            trace.fail(spent.callError)
            throw spent
        } catch {
            // What was cancelled along with the others has not failed by itself.
            try Task.checkCancellation()
            let failure = CallError(mapping: error)
            trace.fail(failure, substitute: member.substitute)
            try run.report(
                ChainUpdate(event: .stepFailed(step.path, code: failure.code.rawValue, message: failure.message))
            )
            switch step.onError {
            case .skip: return nil
            case .use:
                guard let substitute = member.substitute else { throw failure }
                return substitute
            case .fail: throw failure
            }
        }
    }
}

extension ChainProgress.Decision {
    /// The step that it is about.
    fileprivate var step: Int? {
        switch self {
        case .run(let index, _), .finished(let index, _), .skipped(let index), .failed(let index, _): index
        case .answer, .stop: nil
        }
    }
}
