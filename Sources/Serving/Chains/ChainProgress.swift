internal import Schema

/// How far one run of a chain has come: decides what is to be done next. Pure.
struct ChainProgress: Sendable {
    /// Something that the shell carries out or reports.
    enum Decision: Sendable, Hashable {
        /// Do a step's work, which is a call or a group.
        case run(Int, StepWork)
        case finished(Int, JSONValue)
        case skipped(Int)
        /// The step failed; a later decision says what comes of it.
        case failed(Int, CallError)
        /// The last decision: the chain's output.
        case answer(JSONValue)
        /// The last decision: the chain failed.
        case stop(CallError)
    }

    private enum StepState: Hashable {
        case waiting
        case running
        case settled
    }

    private let plan: ChainPlan
    private var states: [StepState]
    private var outputs: [String: JSONValue] = [:]
    private var scope: ChainScope
    private let input: JSONValue

    init(_ plan: ChainPlan, input: JSONValue) {
        self.plan = plan
        self.input = input
        self.states = Array(repeating: .waiting, count: plan.steps.count)
        self.scope = ChainScope(root: ["input": input, "steps": [:]])
    }

    /// The steps that wait for nothing.
    mutating func begin() -> [Decision] {
        self.advance()
    }

    /// Takes a running step's output in.
    mutating func finish(_ step: Int, output: JSONValue) -> [Decision] {
        [self.settle(step, as: output)] + self.advance()
    }

    /// Takes a running step's failure in, and does what its `onError` says.
    mutating func fail(_ step: Int, _ error: CallError) -> [Decision] {
        let failure = Decision.failed(step, error)
        switch self.plan.steps[step].onError {
        case .fail: return [failure, .stop(error)]
        case .skip: return [failure, self.skip(step)] + self.advance()
        case .use:
            guard let value = self.scope.substitute(self.plan.steps[step]) else { return [failure, .stop(error)] }
            return [failure, self.settle(step, as: value)] + self.advance()
        }
    }

    /// Starts, skips or finishes every step that waits for nothing more, until nothing changes.
    private mutating func advance() -> [Decision] {
        var decisions: [Decision] = []
        var changed = true
        while changed {
            changed = false
            for index in self.plan.steps.indices where self.isReady(index) {
                let decision = self.decide(index)
                decisions.append(decision)
                if case .failed(_, let error) = decision {
                    decisions.removeLast()
                    decisions += self.fail(index, error)
                    return decisions
                }
                changed = true
            }
        }
        if self.states.allSatisfy({ $0 == .settled }) { decisions.append(self.conclude()) }
        return decisions
    }

    private func isReady(_ index: Int) -> Bool {
        self.states[index] == .waiting
            && self.plan.steps[index].dependencies.allSatisfy { self.states[$0] == .settled }
    }

    private mutating func decide(_ index: Int) -> Decision {
        let work = self.scope.prepare(self.plan.steps[index])
        switch work {
        case .skipped: return self.skip(index)
        case .settled(let value): return self.settle(index, as: value)
        case .failed(let error): return .failed(index, error)
        case .call, .group:
            self.states[index] = .running
            return .run(index, work)
        }
    }

    private mutating func settle(_ index: Int, as output: JSONValue) -> Decision {
        self.states[index] = .settled
        self.outputs[self.plan.steps[index].name] = ["output": output]
        self.scope.root = ["input": self.input, "steps": .object(self.outputs)]
        return .finished(index, output)
    }

    private mutating func skip(_ index: Int) -> Decision {
        self.states[index] = .settled
        self.scope.skippedSteps.insert(self.plan.steps[index].name)
        return .skipped(index)
    }

    private func conclude() -> Decision {
        switch self.scope.evaluate(self.plan.output.withoutSkipped(in: self.scope)) {
        case .present(let value): .answer(value)
        case .absent, .skipped:
            .stop(
                CallError(
                    .failed,
                    "\(self.plan.name) has no output: what its output refers to was skipped or is absent"
                )
            )
        }
    }
}

extension ChainExpression {
    /// The expression of a chain's output without the object members that refer to skipped steps: such members are
    /// left out of the answer, instead of taking the whole answer with them.
    fileprivate func withoutSkipped(in scope: ChainScope) -> ChainExpression {
        guard case .object(let members) = self else { return self }
        let kept = members.mapValues { $0.withoutSkipped(in: scope) }.filter { scope.evaluate($0.value) != .skipped }
        return .object(kept)
    }
}
