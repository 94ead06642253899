internal import Planning
internal import Schema

/// Makes the steps of a revision's chains ready to be done. Each chain is compiled once, however many run it.
struct StepCompiler {
    let graph: RevisionGraph
    let clock: any Clock<Duration>
    private var chains: [ResourceIdentity: ChainRunner] = [:]

    init(_ graph: RevisionGraph, clock: any Clock<Duration>) {
        self.graph = graph
        self.clock = clock
    }

    /// Compiles a chain of the revision.
    ///
    /// - Parameter answer: what a conversation is answered with, over the chain's `output`; nil for a chain that another
    ///   one runs.
    ///
    /// Throws `RevisionInvalid` when the graph lacks something, `ReferenceInvalid`, `ChainInvalid`, `TemplateInvalid`,
    /// `SchemaUnsupported`.
    mutating func chain(_ chain: RevisionGraph.Chain, answer: ChainExpression? = nil) throws(MartletError)
        -> ChainRunner
    {
        if answer == nil, let known = self.chains[chain.identity] { return known }
        let plan = try ChainPlan(chain.spec, name: chain.identity.description, answer: answer ?? .chainOutput)
        var actions: [String: any StepPerformer] = [:]
        try self.collect(chain.spec.steps, within: nil, of: chain.identity, into: &actions)
        let runner = ChainRunner(plan: plan, actions: actions, clock: self.clock)
        if answer == nil { self.chains[chain.identity] = runner }
        return runner
    }

    private mutating func collect(
        _ steps: [ChainSpec.Step],
        within outer: String?,
        of chain: ResourceIdentity,
        into actions: inout [String: any StepPerformer]
    ) throws(MartletError) {
        for step in steps {
            let path = outer.map { "\($0)/\(step.name)" } ?? step.name
            actions[path] = try self.action(of: step.action, in: chain)
            try self.collect(step.action.members, within: path, of: chain, into: &actions)
        }
    }

    /// What a step does; nil for one that only shapes data or holds others.
    private mutating func action(
        of action: ChainSpec.Action,
        in chain: ResourceIdentity
    ) throws(MartletError) -> (any StepPerformer)? {
        switch action {
        case .set, .parallel, .ensemble: nil
        case .prompt(let prompt): try self.prompt(prompt, in: chain)
        case .model(let name):
            ModelAction(model: try self.model(name, in: chain).identity, name: try self.model(name, in: chain).named)
        case .retrieve(let retrieve):
            try self.retrieve(retrieve.knowledgeBase, top: retrieve.top, minScore: retrieve.minScore, in: chain)
        case .features(let features): try self.features(features.table, columns: features.columns, in: chain)
        case .http(let call): HTTPAction(call: call, effects: call.effects)
        case .program(let program): try self.program(program, effects: program.effects, in: chain)
        case .chain(let name): ChainAction(chain: try self.chain(self.chain(named: name, in: chain)))
        case .agent(let agent): try self.agent(agent, in: chain)
        }
    }

    private func prompt(
        _ prompt: ChainSpec.PromptStep,
        in chain: ResourceIdentity
    ) throws(MartletError) -> PromptAction {
        let model = try self.model(prompt.model, in: chain)
        let template = try self.template(prompt.template, in: chain)
        return PromptAction(
            prompt: PromptStep(
                renderer: try PromptRenderer(template),
                model: model.identity,
                adapters: prompt.adapter.map { [$0] } ?? []
            ),
            modelName: model.named,
            templateName: template.named
        )
    }

    private func retrieve(
        _ name: String,
        top: Int,
        minScore: Double?,
        in chain: ResourceIdentity
    ) throws(MartletError) -> RetrieveAction {
        let base = try self.find(.knowledgeBase, name, in: chain, among: self.graph.knowledge, \.identity)
        return RetrieveAction(base: base.identity, embedding: base.embedding?.model, top: top, minScore: minScore)
    }

    private func features(
        _ name: String,
        columns: [String]?,
        in chain: ResourceIdentity
    ) throws(MartletError) -> FeaturesAction {
        let table = try self.find(.featureTable, name, in: chain, among: self.graph.tables, \.identity)
        return FeaturesAction(table: table.identity, keyColumns: table.spec.key, columns: columns)
    }

    private func program(
        _ spec: ChainSpec.Program,
        effects: ChainSpec.Effects,
        in chain: ResourceIdentity
    ) throws(MartletError) -> ProgramAction {
        guard let program = self.graph.program(spec, of: chain) else {
            throw MartletError("RevisionInvalid", "the revision lacks the program '\(spec.path)' of \(chain)")
        }
        return ProgramAction(program: program, effects: effects)
    }

    private mutating func agent(
        _ agent: ChainSpec.Agent,
        in chain: ResourceIdentity
    ) throws(MartletError) -> AgentAction {
        let model = try self.model(agent.model, in: chain)
        let template = try agent.template.map { name throws(MartletError) in
            let template = try self.template(name, in: chain)
            return AgentAction.Template(renderer: try PromptRenderer(template), name: template.named)
        }
        var tools: [AgentTool] = []
        for tool in agent.tools { tools.append(try self.tool(tool, in: chain)) }
        return AgentAction(
            model: model.identity,
            modelName: model.named,
            template: template,
            tools: tools,
            maxTurns: agent.maxTurns,
            callProtocol: agent.callProtocol
        )
    }

    private mutating func tool(
        _ tool: ChainSpec.Tool,
        in chain: ResourceIdentity
    ) throws(MartletError) -> AgentTool {
        switch tool.action {
        case .chain(let name):
            let called = try self.chain(named: name, in: chain)
            return try AgentTool(
                tool,
                type: "chain",
                action: ChainAction(chain: try self.chain(called)),
                defaultSchema: called.spec.input?.schema ?? AgentTool.anyObject,
                input: .whole
            )
        case .retrieve(let base, let top):
            return try AgentTool(
                tool,
                type: "retrieve",
                action: try self.retrieve(base, top: top, minScore: nil, in: chain),
                defaultSchema: AgentTool.object(of: ["query"]),
                input: .only("query")
            )
        case .features(let table, let columns):
            let action = try self.features(table, columns: columns, in: chain)
            return try AgentTool(
                tool,
                type: "features",
                action: action,
                defaultSchema: AgentTool.key(of: action.keyColumns),
                input: .key(action.keyColumns)
            )
        case .http(let call):
            return try AgentTool(
                tool,
                type: "http",
                action: HTTPAction(call: call, effects: tool.effects(beside: call.effects)),
                defaultSchema: AgentTool.anyObject,
                input: AgentTool.Input(of: call)
            )
        case .program(let program):
            return try AgentTool(
                tool,
                type: "program",
                action: try self.program(program, effects: tool.effects(beside: program.effects), in: chain),
                defaultSchema: AgentTool.anyObject,
                input: .whole
            )
        }
    }

    // MARK: What the graph has

    private func model(_ name: String, in chain: ResourceIdentity) throws(MartletError) -> RevisionGraph.Model {
        try self.find(.model, name, in: chain, among: self.graph.models, \.identity)
    }

    private func template(_ name: String, in chain: ResourceIdentity) throws(MartletError) -> RevisionGraph.Template {
        try self.find(.promptTemplate, name, in: chain, among: self.graph.templates, \.identity)
    }

    private func chain(named name: String, in chain: ResourceIdentity) throws(MartletError) -> RevisionGraph.Chain {
        try self.find(.chain, name, in: chain, among: self.graph.chains, \.identity)
    }

    private func find<Part>(
        _ kind: Kind,
        _ reference: String,
        in chain: ResourceIdentity,
        among parts: [Part],
        _ identity: KeyPath<Part, ResourceIdentity>
    ) throws(MartletError) -> Part {
        let wanted = ResourceIdentity(kind, reference: reference, in: chain.namespace)
        guard let part = parts.first(where: { $0[keyPath: identity] == wanted }) else {
            throw MartletError("RevisionInvalid", "the revision lacks the \(kind.rawValue) '\(reference)' of \(chain)")
        }
        return part
    }
}

extension ChainSpec.Tool {
    /// Writes unless the manifest says, in either place, that it only reads.
    fileprivate func effects(beside action: ChainSpec.Effects) -> ChainSpec.Effects {
        self.effects == .read || action == .read ? .read : .write
    }
}

extension RevisionGraph.Model {
    fileprivate var named: StepRecord.Named {
        StepRecord.Named(resource: "\(self.identity.namespace)/\(self.identity.name)", digest: self.digest.hex)
    }
}

extension RevisionGraph.Template {
    fileprivate var named: StepRecord.Named {
        StepRecord.Named(resource: "\(self.identity.namespace)/\(self.identity.name)", digest: self.digest.hex)
    }
}
