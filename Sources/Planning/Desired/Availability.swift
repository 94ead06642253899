internal import Schema

/// Names what a manifest may say but this version cannot do yet.
enum Availability {
    /// The first such thing in a resource, in words; nil when all of it can be done.
    static func obstacle(in spec: ResourceSpec) -> String? {
        switch spec {
        case .model(let model): self.obstacle(in: model)
        case .promptTemplate(let template): template.guards.map { _ in self.refusal("spec.guards") }
        case .chain(let chain): self.obstacle(in: chain)
        case .endpoint(let endpoint): self.obstacle(in: endpoint)
        case .dataset(let dataset): self.obstacle(in: dataset.source)
        case .policy(let policy): self.obstacle(in: policy)
        case .unavailable: nil
        }
    }

    /// The words for a kind that is checked but not carried out.
    static func refusal(of kind: Kind) -> String {
        self.refusal("the kind \(kind.rawValue)")
    }

    private static func obstacle(in model: ModelSpec) -> String? {
        if model.upstream != nil || ["openai", "inference"].contains(model.engine) {
            return self.refusal("engine '\(model.engine)', a model that a server elsewhere answers for,")
        }
        if let accelerator = model.resources.accelerator {
            return self.refusal("the accelerator '\(accelerator)'")
        }
        let sources = [model.source].compactMap(\.self) + model.adapters.map(\.source)
        return sources.lazy.compactMap { self.obstacle(in: $0) }.first
    }

    private static func obstacle(in source: ModelSpec.Source) -> String? {
        guard case .remote(let scheme, _)? = source.location else { return nil }
        return self.refusal("a source by \(scheme)://")
    }

    private static func obstacle(in policy: PolicySpec) -> String? {
        if !policy.evaluations.isEmpty { return self.refusal("spec.evaluations of a Policy") }
        guard policy.signatures.contains(where: { $0.minimum > 1 }) else { return nil }
        return self.refusal("a change that more than one signer must have signed")
    }

    private static func obstacle(in chain: ChainSpec) -> String? {
        for step in chain.steps {
            switch step.action {
            case .prompt, .set: continue
            case .unavailable(let word, _): return self.refusal("the step type '\(word)' (of step '\(step.name)')")
            }
        }
        return nil
    }

    private static func obstacle(in endpoint: EndpointSpec) -> String? {
        switch endpoint.rollout.strategy {
        case .immediate: nil
        case .canary, .blueGreen, .shadow, .experiment:
            self.refusal("rollout strategy '\(endpoint.rollout.strategy.rawValue)'")
        }
    }

    private static func refusal(_ what: String) -> String {
        "\(what) is not available in this version"
    }
}
