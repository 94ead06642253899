internal import Schema

/// A chain, compiled: its steps, what each waits for and is given, and where its output comes from. Pure.
///
/// What its steps do is not in it: that is a ``StepPerformer`` by the path of each.
struct ChainPlan: Sendable {
    /// One step, with everything that it refers to found.
    struct Step: Sendable {
        enum Action: Sendable, Hashable {
            /// Something is asked for the output: a model, an index, a server, another chain.
            case call
            /// The members are done at once; the output holds theirs by name.
            case parallel
            case ensemble(ChainSpec.Ensemble.Combination)
            /// The input is the output.
            case set
        }

        enum OnError: Sendable {
            case fail
            case skip
            case use(ChainExpression)
        }

        var name: String
        /// Its own name, behind those of the steps around it: `vote/first`.
        var path: String
        /// The word that manifests have for what it does: `prompt`.
        var type: String
        var when: ChainCondition?
        var action: Action
        var input: ChainExpression
        /// The steps within a `parallel` or an `ensemble` one.
        var members: [Step] = []
        /// For all attempts together.
        var timeout: Duration?
        /// How often a failed step is tried again.
        var retries: Int
        /// The wait before the first retry; doubled before each next.
        var backoff: Duration
        var onError: OnError
        /// Indices of the steps that it refers to; none for a member, which waits for what the step around it waits for.
        var dependencies: Set<Int> = []

        /// Every reference of the step and its members.
        var references: [SingularQuery] {
            var references = self.input.references + (self.when?.references ?? [])
            if case .use(let expression) = self.onError { references += expression.references }
            return references + self.members.flatMap(\.references)
        }
    }

    /// The most steps that a chain may have.
    static let maximumSteps = 1000

    let name: String
    let steps: [Step]
    let output: ChainExpression
    let inputSchema: JSONSchema?
    let limits: ChainSpec.Limits
    /// The steps whose output may be the answer to a conversation, unchanged, in the order of preference.
    let answerCandidates: [String]
    /// Whether each step's text may be given away as it comes: its output may be the answer or the chain's own, and
    /// `onError: fail` leaves nothing to put in its place.
    let mayStream: [Bool]

    /// - Parameter answer: what a conversation is answered with, over the chain's `output`.
    ///
    /// Throws `ReferenceInvalid`, `ChainInvalid`, `SchemaUnsupported`.
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
        for spec in spec.steps {
            var step = try Step(spec)
            let place = "step '\(step.name)' of \(name)"
            step.dependencies = try ChainPlan.dependencies(step.references, positions: positions, place: place)
            steps.append(step)
        }
        try ChainPlan.requireNoCycle(steps, chain: name)
        let last = SingularQuery(segments: [.name("steps"), .name(steps[steps.count - 1].name), .name("output")])
        let output = try spec.output.map { value throws(MartletError) in try ChainExpression(value) }
        self.name = name
        self.steps = steps
        self.output = output ?? .reference(last)
        self.inputSchema = try spec.input.map { input throws(MartletError) in try JSONSchema(input.schema) }
        self.limits = spec.limits ?? ChainSpec.Limits()
        _ = try ChainPlan.dependencies(self.output.references, positions: positions, place: "the output of \(name)")
        self.answerCandidates = answer.answeringSteps(ofOutput: self.output)
        let candidates = self.answerCandidates + ChainExpression.chainOutput.answeringSteps(ofOutput: self.output)
        self.mayStream = steps.map { step in
            if case .fail = step.onError { candidates.contains(step.name) } else { false }
        }
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

extension ChainPlan.Step {
    /// Compiles a step and those within it. Throws `ReferenceInvalid`, `ChainInvalid`.
    init(_ spec: ChainSpec.Step, within outer: String? = nil) throws(MartletError) {
        let path = outer.map { "\($0)/\(spec.name)" } ?? spec.name
        self.init(
            name: spec.name,
            path: path,
            type: spec.action.word,
            when: try spec.when.map { condition throws(MartletError) in try ChainCondition(condition) },
            action: spec.action.planned,
            input: try ChainExpression(spec.input),
            members: try Self.members(of: spec.action, within: path),
            timeout: spec.timeout?.duration,
            retries: spec.retries?.attempts ?? 0,
            backoff: spec.retries?.backoff.duration ?? .zero,
            onError: try OnError(spec.onError)
        )
    }

    private static func members(
        of action: ChainSpec.Action,
        within path: String
    ) throws(MartletError) -> [ChainPlan.Step] {
        var members: [ChainPlan.Step] = []
        for member in action.members {
            guard !members.contains(where: { $0.name == member.name }) else {
                throw MartletError("ChainInvalid", "step '\(path)' has two steps named '\(member.name)'")
            }
            members.append(try ChainPlan.Step(member, within: path))
        }
        return members
    }

    /// Whose fault a wrong value is: the caller's when it comes from the chain's input alone.
    ///
    /// - Parameter member: the one of the input's members that it is about; nil: all of it.
    func blame(forInput member: String? = nil) -> CallError.Code {
        var expression = self.input
        if let member, case .object(let members) = self.input { expression = members[member] ?? .literal(.null) }
        return expression.isFromInputAlone ? .invalidInput : .failed
    }
}

extension ChainPlan.Step.OnError {
    fileprivate init(_ spec: ChainSpec.OnError) throws(MartletError) {
        switch spec {
        case .fail: self = .fail
        case .skip: self = .skip
        case .use(let value): self = .use(try ChainExpression(value))
        }
    }
}

extension ChainSpec.Step {
    /// What the step is given, as the manifest has it.
    fileprivate var input: JSONValue {
        switch self.action {
        case .set(let value): return value
        case .retrieve(let retrieve): return ["query": retrieve.query]
        case .features(let features): return ["key": features.key]
        case .http(let call):
            var input: [String: JSONValue] = [:]
            if !call.query.isEmpty { input["query"] = .object(call.query) }
            input["body"] = call.body ?? (self.with.isEmpty ? nil : .object(self.with))
            return .object(input)
        case .prompt, .model, .program, .chain, .agent: return .object(self.with)
        case .parallel, .ensemble: return .object([:])
        }
    }
}

extension ChainSpec.Action {
    /// The field that names it.
    var word: String {
        switch self {
        case .prompt: "prompt"
        case .model: "model"
        case .retrieve: "retrieve"
        case .features: "features"
        case .http: "http"
        case .program: "program"
        case .chain: "chain"
        case .parallel: "parallel"
        case .ensemble: "ensemble"
        case .agent: "agent"
        case .set: "set"
        }
    }

    /// The steps within it.
    var members: [ChainSpec.Step] {
        switch self {
        case .parallel(let steps): steps
        case .ensemble(let ensemble): ensemble.steps
        case .prompt, .model, .retrieve, .features, .http, .program, .chain, .agent, .set: []
        }
    }

    fileprivate var planned: ChainPlan.Step.Action {
        switch self {
        case .parallel: .parallel
        case .ensemble(let ensemble): .ensemble(ensemble.combine)
        case .set: .set
        case .prompt, .model, .retrieve, .features, .http, .program, .chain, .agent: .call
        }
    }
}
