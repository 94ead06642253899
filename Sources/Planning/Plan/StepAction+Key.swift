internal import Schema

extension StepAction {
    /// The word of the action: `probe`, `load`, `setTraffic`.
    package var word: String {
        switch self {
        case .probe: "probe"
        case .load: "load"
        case .beginRollout: "beginRollout"
        case .start: "start"
        case .warmUp: "warmUp"
        case .setTraffic: "setTraffic"
        case .promote: "promote"
        case .advanceRollout: "advanceRollout"
        case .hold: "hold"
        case .liftHold: "liftHold"
        case .applySettings: "applySettings"
        case .scale: "scale"
        case .drain: "drain"
        case .stop: "stop"
        case .unload: "unload"
        case .removeEndpoint: "removeEndpoint"
        case .forget: "forget"
        }
    }

    /// What the action is done to.
    package var subject: String {
        switch self {
        case .probe(let instance), .load(let instance): "\(instance.model) \(instance.key)"
        case .beginRollout(let graph, _), .start(let graph, _): "\(graph.variant)#\(graph.revision)"
        case .warmUp(let runner), .promote(let runner), .scale(let runner, _), .drain(let runner, _), .stop(let runner):
            runner.description
        case .setTraffic(let variant, let shares):
            "\(variant) " + shares.map { "\($0.revision)=\($0.weight)%" }.joined(separator: ",")
        case .advanceRollout(let variant, _), .forget(let variant): variant.description
        case .hold(let hold): "\(hold.variant)#\(hold.revision)"
        case .liftHold(let variant, let revision): "\(variant)#\(revision)"
        case .applySettings(let endpoint, let settings): "\(endpoint) \(settings.revision)"
        case .unload(let instance): instance.description
        case .removeEndpoint(let endpoint): endpoint.description
        }
    }

    /// The same thing to do has the same key in every plan, whichever resource asks for it.
    package var key: StepKey {
        switch self {
        case .scale(let runner, let replicas): StepKey("scale \(runner) \(replicas)")
        case .probe(let instance), .load(let instance): StepKey("\(self.word) \(instance.key)")
        case .beginRollout, .start, .warmUp, .setTraffic, .promote, .advanceRollout, .hold, .liftHold,
            .applySettings, .drain, .stop, .unload, .removeEndpoint, .forget:
            StepKey("\(self.word) \(self.subject)")
        }
    }

    /// The key of loading an instance.
    package static func loadKey(of instance: InstanceKey) -> StepKey { StepKey("load \(instance)") }

    /// The key of probing an instance.
    package static func probeKey(of instance: InstanceKey) -> StepKey { StepKey("probe \(instance)") }

    /// Whether the action only writes facts: done in the pass's transaction, not in the runtime.
    package var writesFacts: Bool {
        switch self {
        case .beginRollout, .promote, .advanceRollout, .hold, .liftHold, .forget: true
        case .probe, .load, .start, .warmUp, .setTraffic, .applySettings, .scale, .drain, .stop, .unload,
            .removeEndpoint:
            false
        }
    }
}
