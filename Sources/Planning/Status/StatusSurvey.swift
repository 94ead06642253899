internal import Schema

/// What the status of resources is read from; looking one of them up costs what it reaches.
struct StatusSurvey {
    let desired: DesiredState
    let observed: ObservedState
    let index: StateIndex
    /// Requests on each runner now; nil: as many as were observed.
    let underWay: [RunnerKey: Int]?
    /// What an endpoint waits for.
    let waits: (ResourceIdentity) -> [PlanWait]

    /// Every resource of the commit, every one that is broken, and every endpoint that still runs; sorted.
    static func identities(_ desired: DesiredState, _ observed: ObservedState) -> [ResourceIdentity] {
        var identities = Set(desired.resources.keys).union(desired.blocked.keys)
        for variant in desired.variants.keys { identities.insert(variant.resource) }
        for variant in observed.facts.variants.keys { identities.insert(variant.resource) }
        return identities.sorted()
    }

    /// Whether a resource is one of these.
    func isThere(_ identity: ResourceIdentity) -> Bool {
        self.desired.resources[identity] != nil || self.desired.blocked[identity] != nil
            || !self.variants(of: identity).isEmpty
    }

    /// The variants of an endpoint that are wanted or were written down.
    func variants(of endpoint: ResourceIdentity) -> [VariantID] {
        guard endpoint.kind == .endpoint else { return [] }
        return self.index.variants(of: endpoint).filter {
            self.desired.variants[$0] != nil || self.observed.facts.variants[$0] != nil
        }
    }

    private func runners(of variant: VariantID) -> [RunnerObservation] {
        (self.index.runners[variant] ?? []).compactMap { self.observed.runtime.runners[RunnerKey(variant, $0)] }
    }

    /// A resource's view, all but its conditions, and the verdict that these are made from.
    func view(of identity: ResourceIdentity) -> (ResourceView, StatusVerdict) {
        let resource = self.desired.resources[identity]
        let verdict = self.verdict(on: identity)
        var view = ResourceView(
            identity: identity,
            labels: resource?.labels ?? [:],
            digest: resource?.digest,
            location: resource?.place,
            sync: verdict.sync,
            health: verdict.health,
            suspended: self.isSuspended(identity)
        )
        if identity.kind == .endpoint {
            view.variants = self.variants(of: identity).map { self.view(of: $0) }
            view.settingsRevision = self.observed.runtime.settings[identity]
        }
        if identity.kind == .model, let key = self.index.instance(of: identity, self.desired, self.observed.facts) {
            view.instance = InstanceView(key: key, InstanceUse(observation: self.observed.runtime.instances[key]))
        }
        return (view, verdict)
    }

    /// Whether this version acts on a resource, not only checks it.
    func isCarriedOut(_ identity: ResourceIdentity) -> Bool {
        guard let resource = self.desired.resources[identity] else { return true }
        if case .unavailable = resource.spec { return false }
        return true
    }

    func isSuspended(_ identity: ResourceIdentity) -> Bool {
        let suspensions = self.observed.facts.suspensions
        guard !suspensions.isEmpty else { return false }
        return suspensions.contains(.everything) || suspensions.contains(.resource(identity))
            || (identity.kind == .endpoint && self.waits(identity).contains { $0.word == "Suspended" })
    }

    /// How a resource is doing.
    func verdict(on identity: ResourceIdentity) -> StatusVerdict {
        let resource = self.desired.resources[identity]
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
    /// Whether a variant's requests are answered now, or would be: nobody asks one that is scaled to zero.
    func answers(_ variant: VariantID) -> Bool {
        let shares = self.observed.runtime.traffic[variant] ?? []
        return !shares.isEmpty
            && shares.allSatisfy { share in
                let runner = self.observed.runtime.runners[RunnerKey(variant, share.revision)]
                return runner?.state == .ready && (runner?.replicas != 0 || self.scale(of: variant).replicas == 0)
            }
            && self.failedInstance(of: variant) == nil
    }

    /// How many replicas a variant is to have, and why.
    func scale(of variant: VariantID) -> ScalingDecision {
        let main = VariantID(defaultOf: variant.resource)
        let settings = self.desired.settings[variant.resource] ?? self.observed.facts.variants[main]?.settings
        return settings?.replicas.wanted(self.observed.scaling[variant]) ?? ScalingDecision(replicas: 1, reason: "")
    }

    /// Whether a variant is scaled to zero, and its requests would be answered all the same.
    func isAsleep(_ variant: VariantID) -> Bool {
        let shares = self.observed.runtime.traffic[variant] ?? []
        let sleeps = shares.allSatisfy { self.sleeps(RunnerKey(variant, $0.revision)) }
        return !shares.isEmpty && sleeps && self.scale(of: variant).replicas == 0
    }

    private func sleeps(_ runner: RunnerKey) -> Bool {
        let runner = self.observed.runtime.runners[runner]
        return runner?.state == .ready && runner?.replicas == 0
    }

    /// What keeps the variant's traffic from being answered although its runners stand.
    func failedInstance(of variant: VariantID) -> String? {
        for share in self.observed.runtime.traffic[variant] ?? []
        where !self.sleeps(RunnerKey(variant, share.revision)) {
            let graph = self.observed.facts.variants[variant]?.graph(of: share.revision)
            for model in graph?.models ?? [] {
                let key = model.instance.key
                guard let instance = self.observed.runtime.instances[key] else {
                    // The next request has it loaded, unless that took the process down before.
                    if model.instance.isLazy, !self.observed.facts.crashed.contains(key) { continue }
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
        let runners = self.runners(of: variant)
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
            hold: self.index.holds[variant]?.first { $0.revision == desired },
            replicas: runners.reduce(0) { $0 + ($1.state == .ready ? $1.replicas : 0) },
            wantedReplicas: facts.promoted == nil && desired == nil ? 0 : self.scale(of: variant).replicas,
            inFlight: self.requests(on: variant)
        )
    }

    private func requests(on variant: VariantID) -> Int {
        let keys = (self.index.runners[variant] ?? []).map { RunnerKey(variant, $0) }
        return keys.reduce(0) { sum, key in
            sum + (self.underWay.map { $0[key] ?? 0 } ?? self.observed.runtime.runners[key]?.inFlight ?? 0)
        }
    }
}
