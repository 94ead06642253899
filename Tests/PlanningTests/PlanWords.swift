import Planning
import Schema
import TestSupport

extension PlanSimulator {
    /// The steps of a plan in few words, one a line: `start desk p2 small-1 < load small-1`.
    func words(_ plan: Plan) -> [String] {
        let names = plan.steps.map { self.words($0.action) }
        return plan.steps.enumerated().map { index, step in
            guard !step.after.isEmpty else { return names[index] }
            return names[index] + " < " + step.after.map { names[$0] }.joined(separator: " & ")
        }
    }

    /// The waits of a plan: the endpoint and the word.
    func waits(_ plan: Plan) -> [String] {
        plan.waits.map { "\($0.subject.name): \($0.word)" }
    }

    private func words(_ action: StepAction) -> String {
        switch action {
        case .probe(let instance), .load(let instance):
            let copies = instance.copies > 1 ? " x\(instance.copies)" : ""
            return "\(action.word) \(self.name(instance.key))\(copies)"
        case .beginRollout(let graph, _): return "begin \(self.name(RunnerKey(graph.variant, graph.revision)))"
        case .start(let graph, let replicas):
            let count = replicas > 1 ? " x\(replicas)" : ""
            return "start \(self.name(RunnerKey(graph.variant, graph.revision)))\(count)"
        case .warmUp(let runner), .promote(let runner), .drain(let runner, _), .stop(let runner):
            return "\(action.word) \(self.name(runner))"
        case .scale(let runner, let replicas): return "scale \(self.name(runner)) x\(replicas)"
        case .setTraffic(let variant, let shares):
            let names = shares.map { self.name(RunnerKey(variant, $0.revision)) }
            return "traffic " + (names.isEmpty ? "nowhere for \(self.name(variant))" : names.joined(separator: ", "))
        case .advanceRollout(let variant, let rollout): return "\(rollout.phase.rawValue) \(self.name(variant))"
        case .hold(let hold): return "hold \(self.name(RunnerKey(hold.variant, hold.revision))) \(hold.reason)"
        case .liftHold(let variant, let revision): return "lift \(self.name(RunnerKey(variant, revision)))"
        case .applySettings(let endpoint, _): return "settings \(endpoint.name)"
        case .unload(let instance): return "unload \(self.name(instance))"
        case .removeEndpoint(let endpoint): return "remove \(endpoint.name)"
        case .forget(let variant): return "forget \(self.name(variant))"
        }
    }

    private var graphs: [RevisionGraph] {
        Array(self.desired.variants.values) + self.observed.facts.variants.values.flatMap(\.graphs)
    }

    private func name(_ variant: VariantID) -> String {
        variant.endpoint + (variant.tenant.map { "@\($0)" } ?? "")
    }

    private func name(_ instance: InstanceKey) -> String {
        let specs = self.graphs.flatMap(\.models).map(\.instance)
        guard case .repository(_, let blob)? = specs.first(where: { $0.key == instance })?.artifact?.location else {
            return instance.description
        }
        return blob
    }

    /// `desk p2 small-1`: the endpoint, the prompt's version, the models with their files' versions.
    private func name(_ runner: RunnerKey) -> String {
        let known = self.graphs.first { $0.variant == runner.variant && $0.revision == runner.revision }
        guard let graph = known else { return "\(self.name(runner.variant)) \(runner.revision)" }
        let prompt = graph.templates.first?.spec.messages.first?.content.split(separator: " ").dropFirst().first ?? "?"
        let models = graph.models.map { self.name($0.instance.key) }.joined(separator: "+")
        return "\(self.name(runner.variant)) p\(prompt) \(models)"
    }
}
