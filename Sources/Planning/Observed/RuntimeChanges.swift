package import Schema

/// What a look at the runtime found that may differ from the look before.
package struct RuntimeChanges: Sendable, Hashable {
    /// Whether this is all there is: what is not named is gone.
    package var isEverything: Bool
    /// Nil: stopped.
    package var runners: [RunnerKey: RunnerObservation?]
    /// Empty: none.
    package var traffic: [VariantID: [TrafficShare]]
    /// Nil: the endpoint is gone.
    package var settings: [ResourceIdentity: Revision?]
    /// All instances in every look, since there are few of them.
    package var instances: [InstanceKey: InstanceObservation]
    package var abandonedCalls: Int

    package init(
        isEverything: Bool = false,
        runners: [RunnerKey: RunnerObservation?] = [:],
        traffic: [VariantID: [TrafficShare]] = [:],
        settings: [ResourceIdentity: Revision?] = [:],
        instances: [InstanceKey: InstanceObservation] = [:],
        abandonedCalls: Int = 0
    ) {
        self.isEverything = isEverything
        self.runners = runners
        self.traffic = traffic
        self.settings = settings
        self.instances = instances
        self.abandonedCalls = abandonedCalls
    }

    /// A look that found all of this and nothing else.
    package init(everything observation: RuntimeObservation) {
        self.init(
            isEverything: true,
            runners: observation.runners.mapValues { $0 },
            traffic: observation.traffic,
            settings: observation.settings.mapValues { $0 },
            instances: observation.instances,
            abandonedCalls: observation.abandonedCalls
        )
    }
}

extension RuntimeObservation {
    /// Takes over what a look found, and tells what is different by it.
    package mutating func apply(_ found: RuntimeChanges) -> StateChanges {
        var changes = StateChanges()
        if found.isEverything {
            for key in self.runners.keys where found.runners[key] == nil { self.note(nil, of: key, &changes) }
            for id in self.traffic.keys where found.traffic[id] == nil { self.note([], of: id, &changes) }
            for endpoint in self.settings.keys where found.settings[endpoint] == nil {
                self.note(nil, of: endpoint, &changes)
            }
        }
        for (key, runner) in found.runners { self.note(runner, of: key, &changes) }
        for (id, shares) in found.traffic { self.note(shares, of: id, &changes) }
        for (endpoint, settings) in found.settings { self.note(settings, of: endpoint, &changes) }
        if self.instances != found.instances {
            for key in Set(self.instances.keys).union(found.instances.keys)
            where self.instances[key] != found.instances[key] {
                changes.instances.insert(key)
            }
            self.instances = found.instances
        }
        self.abandonedCalls = found.abandonedCalls
        return changes
    }

    private mutating func note(_ runner: RunnerObservation?, of key: RunnerKey, _ changes: inout StateChanges) {
        guard self.runners[key] != runner else { return }
        self.runners[key] = runner
        changes.runners.insert(key)
    }

    private mutating func note(_ shares: [TrafficShare], of id: VariantID, _ changes: inout StateChanges) {
        guard self.traffic[id] ?? [] != shares else { return }
        self.traffic[id] = shares.isEmpty ? nil : shares
        changes.variants.insert(id)
    }

    private mutating func note(_ settings: Revision?, of endpoint: ResourceIdentity, _ changes: inout StateChanges) {
        guard self.settings[endpoint] != settings else { return }
        self.settings[endpoint] = settings
        changes.endpoints.insert(endpoint)
    }
}
