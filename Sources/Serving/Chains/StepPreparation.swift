internal import Schema

/// What is to be done for a step, once everything that it refers to is there.
indirect enum StepWork: Sendable, Hashable {
    /// It is left out: its condition does not hold, or what it needs was skipped.
    case skipped
    /// There is nothing to do: this is the output.
    case settled(JSONValue)
    case failed(CallError)
    /// Ask for the output with this input.
    case call(JSONValue)
    /// Do these at once, each for one of the step's members.
    case group([Member])

    /// A step within another one, which sees what that one sees.
    struct Member: Sendable, Hashable {
        var work: StepWork
        /// What stands in for its output if it fails; nil where nothing does.
        var substitute: JSONValue?
    }
}

extension ChainScope {
    /// Decides what is to be done for a step whose references are all settled.
    func prepare(_ step: ChainPlan.Step) -> StepWork {
        if let condition = step.when, !self.holds(condition) { return .skipped }
        switch step.action {
        case .set:
            switch self.evaluate(step.input) {
            case .present(let value):
                do { try OutputLimit.check(value, of: step) } catch { return .failed(error) }
                return .settled(value)
            case .skipped: return .skipped
            case .absent:
                // A value without any reference is always there.
                let message = "step '\(step.path)': what it is set to refers to nothing"
                return .failed(CallError(step.blame(), message))
            }
        case .call:
            // An object is there, whatever of its members is not.
            return self.evaluate(step.input).value.map { .call($0) } ?? .skipped
        case .parallel, .ensemble:
            return .group(step.members.map { StepWork.Member(work: self.prepare($0), substitute: self.substitute($0)) })
        }
    }

    /// What stands in for the output of a step that failed.
    func substitute(_ step: ChainPlan.Step) -> JSONValue? {
        switch step.onError {
        case .use(let expression): self.evaluate(expression).value
        case .fail, .skip: nil
        }
    }
}
