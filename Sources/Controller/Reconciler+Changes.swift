internal import Planning
internal import Schema

/// What a pass has looked at so far.
struct LookedAt {
    var changes = StateChanges()
    /// Nil: everything.
    var endpoints: Set<ResourceIdentity>? = []
}

/// Takes back what one pass has done to the facts, should the store refuse it.
struct FactsUndo: Sendable {
    /// Everything but the variants, of which only those are kept that are changed.
    private var rest: Facts
    private var variants: [VariantID: VariantFacts?] = [:]

    init(_ facts: Facts) {
        self.rest = facts
        self.rest.variants = [:]
    }

    /// Keeps a variant's facts as they were before the first change of the pass.
    mutating func keep(_ variant: VariantID, of facts: Facts) {
        if self.variants[variant] == nil { self.variants.updateValue(facts.variants[variant], forKey: variant) }
    }

    /// A variant's facts as they were, if they have been changed.
    func variant(_ variant: VariantID) -> VariantFacts? { self.variants[variant] ?? nil }

    func restore(_ facts: inout Facts) {
        var restored = self.rest
        swap(&restored.variants, &facts.variants)
        for (variant, old) in self.variants { restored.variants[variant] = old }
        facts = restored
    }
}

extension Reconciler {
    var facts: Facts {
        get { self.observed.facts }
        _modify { yield &self.observed.facts }
    }

    var observation: RuntimeObservation { self.observed.runtime }

    /// The newest plan: every step there is, and the waits of what was looked at last.
    var plan: Plan { self.update.plan }

    /// Makes a change of the facts, and has the next plan look at what it concerns.
    func apply(_ change: FactChange) {
        self.observed.facts.apply(change)
        self.changes.note(change)
    }

    /// Makes the change of the facts that a step means.
    func record(_ action: StepAction) {
        var noted = StateChanges()
        noted.note(action)
        for variant in noted.variants { self.undo?.keep(variant, of: self.observed.facts) }
        self.observed.facts.record(action)
        self.changes.formUnion(noted)
    }

    /// Notes that another desired state is in force.
    ///
    /// - Parameter changed: The resources that it says something else about; nil: any.
    func noteDesired(_ changed: Set<ResourceIdentity>?, from old: DesiredState?, to new: DesiredState) {
        guard let changed, let old, old.guarded == new.guarded, old.retained == new.retained else {
            self.changes.isEverything = true
            return
        }
        for identity in changed {
            guard identity.kind == .endpoint else {
                self.changes.parts.insert(identity)
                continue
            }
            self.changes.endpoints.insert(identity)
            self.changes.variants.formUnion(self.planner.index.variants(of: identity))
            guard case .endpoint(let spec)? = new.resources[identity]?.spec else { continue }
            for tenant in spec.tenants {
                self.changes.variants.insert(
                    VariantID(namespace: identity.namespace, endpoint: identity.name, tenant: tenant.tenant)
                )
            }
        }
    }

    /// Plans for what has changed since the last plan.
    func planAgain(_ desired: DesiredState, at now: Timestamp, _ looked: inout LookedAt) {
        looked.changes.formUnion(self.changes)
        let changes = self.changes
        self.changes = StateChanges()
        let took = Self.time(on: self.ports.clock) {
            self.update = self.planner.plan(desired: desired, observed: self.observed, changes: changes, now: now)
        }
        self.metrics.plans += 1
        self.metrics.planning += took
        self.metrics.openEndpoints = self.planner.openCount
        guard let endpoints = self.update.endpoints else {
            looked.endpoints = nil
            return
        }
        looked.endpoints?.formUnion(endpoints)
    }

    private static func time(on clock: some Clock<Duration>, _ work: () -> Void) -> Duration {
        let begun = clock.now
        work()
        return begun.duration(to: clock.now)
    }

    /// Judges anew whatever the pass has looked at and all that depends on it; gives the conditions that have moved.
    func judge(_ looked: LookedAt, _ desired: DesiredState, at now: Timestamp) -> [ResourceIdentity: [Condition]] {
        var identities = looked.endpoints
        if identities != nil {
            let index = self.planner.index
            identities?.formUnion(looked.changes.parts)
            identities?.formUnion(index.touched)
            for variant in looked.changes.variants { identities?.formUnion(index.named(by: variant)) }
            for instance in looked.changes.instances {
                identities?.formUnion(index.models(of: instance, desired, self.facts))
            }
            if !looked.changes.parts.isEmpty || !looked.changes.endpoints.isEmpty {
                identities?.formUnion(self.book.policies)
            }
        }
        self.planner.index.touched = []
        return self.book.update(identities, in: self.sight(of: desired), at: now)
    }

    /// What statuses are read from now.
    ///
    /// - Parameter underWay: Requests on each runner now; nil: as many as were seen at the last look.
    func sight(of desired: DesiredState, _ underWay: [RunnerKey: Int]? = nil) -> StatusSight {
        StatusSight(
            desired: desired,
            observed: self.observed,
            index: self.planner.index,
            waits: Dictionary(grouping: self.plan.waits, by: \.subject),
            settled: { [planner = self.planner] in planner.settledWaits(of: $0) },
            underWay: underWay
        )
    }
}
