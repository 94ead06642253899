internal import Planning
internal import Schema

/// What a revision does with a request, compiled.
enum RunnerProgram: Sendable {
    /// A bare model.
    case model(ResourceIdentity)
    case chain(ChainRunner, ChatMapping)

    /// Compiles a revision. Throws `RevisionInvalid` when the graph lacks something, `ReferenceInvalid`,
    /// `TemplateInvalid`, `SchemaUnsupported`, `StepUnavailable`.
    init(_ graph: RevisionGraph, clock: any Clock<Duration>) throws(MartletError) {
        let namespace = graph.variant.namespace
        if let name = graph.serve.model {
            self = .model(try RunnerProgram.find(.model, name, in: namespace, among: graph.models.map(\.identity)))
            return
        }
        guard let name = graph.serve.chain else {
            throw MartletError("RevisionInvalid", "\(graph.variant) serves neither a chain nor a model")
        }
        let identity = try RunnerProgram.find(.chain, name, in: namespace, among: graph.chains.map(\.identity))
        guard let chain = graph.chains.first(where: { $0.identity == identity }) else {
            throw MartletError("RevisionInvalid", "\(graph.variant) lacks \(identity)")
        }
        let mapping = try ChatMapping(graph.chat, chain: chain.spec)
        var compiler = StepCompiler(graph, clock: clock)
        self = .chain(try compiler.chain(chain, answer: mapping.output), mapping)
    }

    /// The model that answers, where it is a bare one.
    var servedModel: ResourceIdentity? {
        switch self {
        case .model(let model): model
        case .chain: nil
        }
    }

    /// Requires that a model of tensors is asked for no text. Throws `TensorsNotServed`.
    func requireText(from model: ResourceIdentity, _ description: ModelDescription) throws(MartletError) {
        guard let tensors = description.tensors else { return }
        switch self {
        case .model: return
        case .chain(let chain, _):
            guard let step = chain.steps(asking: model).first else { return }
            throw MartletError(
                "TensorsNotServed",
                "step '\(step)' prompts \(model), which takes tensors (\(tensors.inputWords)), not text"
            )
        }
    }

    private static func find(
        _ kind: Kind,
        _ reference: String,
        in namespace: String,
        among known: [ResourceIdentity]
    ) throws(MartletError) -> ResourceIdentity {
        guard let identity = ResourceIdentity(kind, reference: reference, in: namespace), known.contains(identity)
        else {
            throw MartletError("RevisionInvalid", "the revision lacks the \(kind.rawValue) '\(reference)'")
        }
        return identity
    }
}
