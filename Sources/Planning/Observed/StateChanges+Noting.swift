internal import Schema

extension StateChanges {
    /// Takes note of a change of the facts.
    package mutating func note(_ change: FactChange) {
        switch change {
        case .variant(let variant, _), .forgetVariant(let variant), .liftHold(let variant, _):
            self.variants.insert(variant)
        case .hold(let hold):
            self.variants.insert(hold.variant)
        case .suspend, .resume:
            self.isEverything = true
        case .probe(let instance, _), .forgetProbe(let instance), .crashed(let instance), .forgiveCrash(let instance):
            self.instances.insert(instance)
        case .beginLoading, .endLoading, .loadCutShort, .applied, .confirmPrune, .endConfirmation, .commit, .promotion,
            .conditions,
            .event, .audit:
            break
        }
    }

    /// Takes note of what a step that writes facts has done to them.
    package mutating func note(_ action: StepAction) {
        switch action {
        case .probe(let instance), .load(let instance):
            self.instances.insert(instance.key)
        case .unload(let instance):
            self.instances.insert(instance)
        case .beginRollout(let graph, _), .start(let graph, _):
            self.variants.insert(graph.variant)
        case .warmUp(let runner), .promote(let runner), .scale(let runner, _), .drain(let runner, _), .stop(let runner):
            self.variants.insert(runner.variant)
        case .setTraffic(let variant, _), .advanceRollout(let variant, _), .liftHold(let variant, _),
            .forget(let variant):
            self.variants.insert(variant)
        case .hold(let hold):
            self.variants.insert(hold.variant)
        case .applySettings(let endpoint, _), .removeEndpoint(let endpoint):
            self.endpoints.insert(endpoint)
            self.variants.insert(VariantID(defaultOf: endpoint))
        }
    }
}
