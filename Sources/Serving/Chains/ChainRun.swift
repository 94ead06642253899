internal import Planning
internal import Schema
internal import Synchronization

/// What a request's steps have at hand.
struct RunnerResources: Sendable {
    var models: [ResourceIdentity: any CompletionModel] = [:]
    var knowledge: [ResourceIdentity: any KnowledgeIndex] = [:]
    var tables: [ResourceIdentity: any FeatureRows] = [:]
    /// Nil: no server elsewhere can be called.
    var http: (any HTTPCaller)?
    /// Nil: no program can be run.
    var programs: (any ProgramCaller)?
    /// W3C's `traceparent` for the servers that are called.
    var traceParent: String?
    /// What writes came to when the request was answered before; nil where it is answered for the first time, and writes.
    var recorded: RecordedEffects?
}

/// One run of a chain: what its steps have in common. A chain that another one runs has a run of its own.
final class ChainRun: Sendable {
    let resources: RunnerResources
    let clock: any Clock<Duration>
    /// Gets everything that happens, in order.
    let report: @Sendable (ChainUpdate) throws -> Void
    /// The step that has the chain run, behind those around it; nil for the request's own chain.
    let path: String?
    /// Whether anybody may see words of the chain's answer before it has ended.
    let mayStream: Bool
    private let name: String
    private let maxSteps: Int
    private let outer: ChainRun?
    private let steps = Atomic(0)
    private let spent = Mutex(TokenUsage())

    init(
        _ plan: ChainPlan,
        resources: RunnerResources,
        clock: any Clock<Duration>,
        within outer: StepContext? = nil,
        report: @escaping @Sendable (ChainUpdate) throws -> Void
    ) {
        self.resources = resources
        self.clock = clock
        self.report = report
        self.path = outer?.path
        self.mayStream = outer == nil || outer?.emit != nil
        self.name = plan.name
        self.maxSteps = plan.limits.maxSteps
        self.outer = outer?.run
    }

    /// The tokens of all steps so far.
    var usage: TokenUsage { self.spent.withLock { $0 } }

    /// Counts a step that begins, here and in the runs around this one. Throws ``BudgetSpent`` when it is one too many.
    func countStep() throws(BudgetSpent) {
        let (_, count) = self.steps.add(1, ordering: .relaxed)
        guard count <= self.maxSteps else { throw BudgetSpent(chain: self.name, limit: self.maxSteps) }
        try self.outer?.countStep()
    }

    /// Adds tokens to those that the run has taken, and to those of the runs around it.
    func spend(_ usage: TokenUsage) {
        self.spent.withLock { $0 = $0 + usage }
        self.outer?.spend(usage)
    }
}

/// A run has begun as many steps as it may: whatever stands in for a failed step, this ends the request.
struct BudgetSpent: Error {
    var chain: String
    var limit: Int

    var callError: CallError {
        CallError(.failed, "\(self.chain) began more than \(self.limit) steps, which its limits.maxSteps allows")
    }
}

/// What an action gets beside its input.
struct StepContext: Sendable {
    let run: ChainRun
    let step: ChainPlan.Step
    let trace: StepTrace
    /// The step's own path behind those of the steps around it, for people and for records.
    let path: String
    /// Takes the output's text as it comes; nil where nobody may see it before the step has ended.
    let emit: (@Sendable (String) throws -> Void)?

    init(run: ChainRun, step: ChainPlan.Step, trace: StepTrace, emit: (@Sendable (String) throws -> Void)?) {
        self.init(
            run: run,
            step: step,
            trace: trace,
            path: run.path.map { "\($0)/\(step.path)" } ?? step.path,
            emit: emit
        )
    }

    private init(
        run: ChainRun,
        step: ChainPlan.Step,
        trace: StepTrace,
        path: String,
        emit: (@Sendable (String) throws -> Void)?
    ) {
        self.run = run
        self.step = step
        self.trace = trace
        self.path = path
        self.emit = emit
    }

    /// The context of something that the step does within.
    func within(_ name: String, trace: StepTrace) -> StepContext {
        StepContext(run: self.run, step: self.step, trace: trace, path: "\(self.path)/\(name)", emit: nil)
    }

    /// A model of the replica. Throws `unavailable`.
    func model(_ name: ResourceIdentity) throws(CallError) -> any CompletionModel {
        guard let model = self.run.resources.models[name] else {
            throw CallError(.unavailable, "step '\(self.path)' has no model to ask", retryAfter: 1)
        }
        return model
    }

    /// The path as the run's own events have it: those around the run put theirs in front.
    var pathInRun: String { self.run.path.map { String(self.path.dropFirst($0.count + 1)) } ?? self.path }

    /// Adds tokens to those of the step and of the run.
    func spend(_ usage: TokenUsage) {
        self.trace.spend(usage)
        self.run.spend(usage)
    }

    /// Notes and tells that a guard has fired.
    func note(_ fired: GuardRecord) throws {
        self.trace.note { $0.guards.append(fired) }
        try self.run.report(ChainUpdate(event: .guardFired(self.pathInRun, fired)))
    }

    /// Does what reaches outside. A write is done once in a request's life: when the request is repeated, what came of it
    /// then is taken.
    func perform(
        _ effects: ChainSpec.Effects,
        _ call: () async throws -> JSONValue
    ) async throws -> StepAnswer {
        self.trace.note { $0.effects = effects.rawValue }
        guard effects == .write, let recorded = self.run.resources.recorded else {
            return StepAnswer(output: try await call())
        }
        guard let output = recorded.next(of: self.path) else {
            throw CallError(
                .failed,
                "step '\(self.path)' writes, which is not repeated, and the record has no output of it"
            )
        }
        return StepAnswer(output: output)
    }
}

/// What came of a step.
struct StepAnswer: Sendable {
    var output: JSONValue
    /// Why the model ended, where one wrote the output.
    var finishReason: FinishReason?
}

/// What a step does for its output, ready to be done: each type of step has one.
protocol StepPerformer: Sendable {
    /// Does it once. Cancelling ends it. Throws whatever ``CallError/init(mapping:)`` knows.
    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer
}

/// What came of a recorded request's writes, to be taken instead of repeating them.
final class RecordedEffects: Sendable {
    private let outputs: Mutex<[String: ArraySlice<JSONValue>]>

    init(_ steps: [StepRecord]) {
        var outputs: [String: ArraySlice<JSONValue>] = [:]
        Self.collect(steps, within: nil, into: &outputs)
        self.outputs = Mutex(outputs)
    }

    /// What came of the next write of a step.
    func next(of path: String) -> JSONValue? {
        self.outputs.withLock { $0[path]?.popFirst() }
    }

    private static func collect(
        _ steps: [StepRecord],
        within outer: String?,
        into outputs: inout [String: ArraySlice<JSONValue>]
    ) {
        for step in steps {
            let path = outer.map { "\($0)/\(step.name)" } ?? step.name
            if step.effects == ChainSpec.Effects.write.rawValue, step.status == .ok, let output = step.output {
                outputs[path, default: []].append(output)
            }
            self.collect(step.children, within: path, into: &outputs)
        }
    }
}
