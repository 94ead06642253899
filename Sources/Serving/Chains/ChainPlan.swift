internal import Schema

/// A chain, compiled: its steps, what each waits for, and where its output comes from. Pure.
struct ChainPlan: Sendable {
    /// One step, with everything that it refers to found.
    struct Step: Sendable {
        enum Action: Sendable {
            /// The template's values by variable.
            case prompt([String: ChainExpression])
            case set(ChainExpression)
        }

        enum OnError: Sendable {
            case fail
            case skip
            case use(ChainExpression)
        }

        var name: String
        var when: ChainCondition?
        var action: Action
        /// For all attempts together.
        var timeout: Duration?
        /// How often a failed step is tried again.
        var retries: Int
        /// The wait before the first retry; doubled before each next.
        var backoff: Duration
        var onError: OnError
        /// Indices of the steps that it refers to.
        var dependencies: Set<Int>
    }

    /// The most steps that a chain may have.
    static let maximumSteps = 1000

    let name: String
    let steps: [Step]
    let output: ChainExpression
    let inputSchema: JSONSchema?
    /// The steps whose output may be the answer to a conversation, unchanged, in the order of preference.
    let answerCandidates: [String]
    /// Whether each step's text may be given away as it comes: its output may be the answer or the chain's own, and
    /// `onError: fail` leaves nothing to put in its place.
    let mayStream: [Bool]

    /// - Parameter answer: what a conversation is answered with, over the chain's `output`.
    ///
    /// Throws `ReferenceInvalid`, `ChainInvalid`, `SchemaUnsupported`, `StepUnavailable`.
    init(
        _ spec: ChainSpec,
        name: String,
        answer: ChainExpression = .chainOutput
    ) throws(MartletError) {
        guard !spec.steps.isEmpty, spec.steps.count <= ChainPlan.maximumSteps else {
            throw MartletError("ChainInvalid", "\(name) must have 1 to \(ChainPlan.maximumSteps) steps")
        }
        var positions: [String: Int] = [:]
        for (index, step) in spec.steps.enumerated() {
            guard positions.updateValue(index, forKey: step.name) == nil else {
                throw MartletError("ChainInvalid", "\(name) has two steps named '\(step.name)'")
            }
        }
        var steps: [Step] = []
        for step in spec.steps { steps.append(try ChainPlan.compile(step, positions: positions, chain: name)) }
        try ChainPlan.requireNoCycle(steps, chain: name)
        let last = SingularQuery(segments: [.name("steps"), .name(steps[steps.count - 1].name), .name("output")])
        let output = try spec.output.map { value throws(MartletError) in try ChainExpression(value) }
        self.name = name
        self.steps = steps
        self.output = output ?? .reference(last)
        self.inputSchema = try spec.input.map { input throws(MartletError) in try JSONSchema(input.schema) }
        _ = try ChainPlan.dependencies(self.output.references, positions: positions, place: "the output of \(name)")
        self.answerCandidates = answer.answeringSteps(ofOutput: self.output)
        let candidates = self.answerCandidates + ChainExpression.chainOutput.answeringSteps(ofOutput: self.output)
        self.mayStream = steps.map { step in
            if case .fail = step.onError { candidates.contains(step.name) } else { false }
        }
    }

    private static func compile(
        _ step: ChainSpec.Step,
        positions: [String: Int],
        chain: String
    ) throws(MartletError) -> Step {
        let place = "step '\(step.name)' of \(chain)"
        let when = try step.when.map { condition throws(MartletError) in try ChainCondition(condition) }
        let action: Step.Action
        var references = when?.references ?? []
        switch step.action {
        case .prompt:
            var values: [String: ChainExpression] = [:]
            for (variable, value) in step.with { values[variable] = try ChainExpression(value) }
            references += values.values.flatMap(\.references)
            action = .prompt(values)
        case .set(let value):
            let expression = try ChainExpression(value)
            references += expression.references
            action = .set(expression)
        case .model, .retrieve, .features, .http, .program, .chain, .parallel, .ensemble, .agent:
            throw MartletError("StepUnavailable", "\(place): steps of its type are not available in this version")
        }
        let onError: Step.OnError
        switch step.onError {
        case .fail: onError = .fail
        case .skip: onError = .skip
        case .use(let value):
            let expression = try ChainExpression(value)
            references += expression.references
            onError = .use(expression)
        }
        return Step(
            name: step.name,
            when: when,
            action: action,
            timeout: step.timeout?.duration,
            retries: step.retries?.attempts ?? 0,
            backoff: step.retries?.backoff.duration ?? .zero,
            onError: onError,
            dependencies: try self.dependencies(references, positions: positions, place: place)
        )
    }

    private static func dependencies(
        _ references: [SingularQuery],
        positions: [String: Int],
        place: String
    ) throws(MartletError) -> Set<Int> {
        var found: Set<Int> = []
        for query in references where !query.isIntoInput {
            guard let name = query.step, let position = positions[name] else {
                throw MartletError(
                    "ReferenceInvalid",
                    "\(place) refers to '\(query)': a reference begins with $.input or $.steps.NAME.output"
                )
            }
            found.insert(position)
        }
        return found
    }

    /// Takes away steps that wait for nothing left until none remain; what cannot be taken away waits for itself.
    private static func requireNoCycle(_ steps: [Step], chain: String) throws(MartletError) {
        var left = Set(steps.indices)
        while true {
            let free = left.filter { steps[$0].dependencies.isDisjoint(with: left) }
            if free.isEmpty { break }
            left.subtract(free)
        }
        guard left.isEmpty else {
            let names = left.sorted().map { "'\(steps[$0].name)'" }.joined(separator: ", ")
            throw MartletError("ChainInvalid", "\(chain): the steps \(names) wait for each other")
        }
    }
}
