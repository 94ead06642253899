internal import Schema

/// What the status of every resource is read from, looked up once.
struct StatusSurvey {
    let desired: DesiredState
    let observed: ObservedState
    /// Every resource of the commit, every one that is broken, and every endpoint that still runs; sorted.
    let identities: [ResourceIdentity]
    let waits: [ResourceIdentity: [PlanWait]]
    let holds: [VariantID: [Hold]]
    let runners: [VariantID: [RunnerKey: RunnerObservation]]
    let variants: [ResourceIdentity: [VariantID]]
    /// The variants whose desired revision reaches a resource.
    let users: [ResourceIdentity: [VariantID]]
    let instances: [ResourceIdentity: InstanceKey]

    init(desired: DesiredState, observed: ObservedState, plan: Plan) {
        self.desired = desired
        self.observed = observed
        self.waits = Dictionary(grouping: plan.waits, by: \.subject)
        self.holds = Dictionary(grouping: observed.facts.holds, by: \.variant)
        self.runners = Dictionary(grouping: observed.runtime.runners, by: \.key.variant)
            .mapValues { Dictionary(uniqueKeysWithValues: $0.map { ($0.key, $0.value) }) }
        let ids = Set(desired.variants.keys).union(observed.facts.variants.keys)
        self.variants = Dictionary(grouping: ids.sorted(), by: \.resource)
        var users: [ResourceIdentity: [VariantID]] = [:]
        var instances: [ResourceIdentity: InstanceKey] = [:]
        for id in ids.sorted() {
            let promoted = observed.facts.variants[id].flatMap { facts in facts.promoted.flatMap { facts.graph(of: $0) }
            }
            for model in promoted?.models ?? [] where instances[model.identity] == nil {
                instances[model.identity] = model.instance.key
            }
            guard let graph = desired.variants[id] ?? promoted else { continue }
            for resource in graph.reached { users[resource, default: []].append(id) }
        }
        for graph in desired.variants.values {
            for model in graph.models { instances[model.identity] = model.instance.key }
        }
        self.users = users
        self.instances = instances
        var identities = Set(desired.resources.keys).union(desired.blocked.keys)
        identities.formUnion(self.variants.keys)
        self.identities = identities.sorted()
    }

    /// A resource's view, all but its conditions, and the verdict that these are made from.
    func view(of identity: ResourceIdentity) -> (ResourceView, StatusVerdict) {
        let resource = self.desired.resources[identity]
        let verdict = self.verdict(on: identity, resource)
        var view = ResourceView(
            identity: identity,
            labels: resource?.labels ?? [:],
            digest: resource?.digest,
            location: resource?.location.description,
            sync: verdict.sync,
            health: verdict.health,
            suspended: self.isSuspended(identity)
        )
        if identity.kind == .endpoint {
            view.variants = (self.variants[identity] ?? []).map { self.view(of: $0) }
            view.settingsRevision = self.observed.runtime.settings[identity]
        }
        if let key = self.instances[identity], let observation = self.observed.runtime.instances[key] {
            view.instance = InstanceView(key: key, observation: observation)
        }
        return (view, verdict)
    }

    /// Out of sync when any resource is, or when something in the commit could not be used.
    func overallSync(of resources: [ResourceView]) -> SyncStatus {
        if self.desired.diagnostics.contains(where: { $0.severity == .error }) { return .outOfSync }
        let known = resources.filter { self.isCarriedOut($0.identity) }.map(\.sync)
        if known.contains(.outOfSync) { return .outOfSync }
        return known.contains(.unknown) ? .unknown : .synced
    }

    private func isCarriedOut(_ identity: ResourceIdentity) -> Bool {
        guard let resource = self.desired.resources[identity] else { return true }
        if case .unavailable = resource.spec { return false }
        return true
    }

    func isSuspended(_ identity: ResourceIdentity) -> Bool {
        let suspensions = self.observed.facts.suspensions
        guard !suspensions.isEmpty else { return false }
        return suspensions.contains(.everything) || suspensions.contains(.resource(identity))
            || (identity.kind == .endpoint && self.waits[identity]?.contains { $0.word == "Suspended" } ?? false)
    }

    private func verdict(on identity: ResourceIdentity, _ resource: Resource?) -> StatusVerdict {
        if let resource, case .unavailable = resource.spec {
            return StatusVerdict(
                sync: .unknown,
                health: .unknown,
                ready: .no,
                reason: "NotAvailable",
                message: Availability.refusal(of: identity.kind) + "; it is checked and changes nothing"
            )
        }
        if let resource, case .policy = resource.spec { return self.verdict(onPolicy: identity) }
        return identity.kind == .endpoint ? self.verdict(onEndpoint: identity) : self.verdict(onPart: identity)
    }
}

extension StatusSurvey {
    /// Whether a variant's requests are answered now.
    func answers(_ variant: VariantID) -> Bool {
        let shares = self.observed.runtime.traffic[variant] ?? []
        let runners = self.runners[variant] ?? [:]
        return !shares.isEmpty
            && shares.allSatisfy { runners[RunnerKey(variant, $0.revision)]?.state == .ready }
            && self.failedInstance(of: variant) == nil
    }

    /// What keeps the variant's traffic from being answered although its runners stand.
    func failedInstance(of variant: VariantID) -> String? {
        for share in self.observed.runtime.traffic[variant] ?? [] {
            let graph = self.observed.facts.variants[variant]?.graph(of: share.revision)
            for model in graph?.models ?? [] {
                guard let instance = self.observed.runtime.instances[model.instance.key] else {
                    return "\(model.identity) is not loaded"
                }
                if instance.state == .failed { return "\(model.identity) failed: \(instance.message)" }
            }
        }
        return nil
    }

    private func view(of variant: VariantID) -> VariantView {
        let facts = self.observed.facts.variants[variant] ?? VariantFacts()
        let desired = self.desired.variants[variant]?.revision
        let runners = self.runners[variant] ?? [:]
        let traffic = self.observed.runtime.traffic[variant] ?? []
        return VariantView(
            variant: variant,
            desired: desired,
            attempted: facts.attempted,
            serving: traffic,
            promoted: facts.promoted,
            earlier: facts.earlier.reversed(),
            rollout: facts.rollout.map { rollout in
                var rollout = rollout
                if traffic.contains(where: { $0.revision == rollout.revision }) { rollout.phase = .shifting }
                return rollout
            },
            hold: self.holds[variant]?.first { $0.revision == desired },
            replicas: runners.values.reduce(0) { $0 + ($1.state == .ready ? $1.replicas : 0) },
            inFlight: runners.values.reduce(0) { $0 + $1.inFlight }
        )
    }
}
