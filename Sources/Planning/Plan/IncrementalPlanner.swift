package import Schema

/// Makes the plan of everything again and again, each time at the cost of what has changed since the time before.
///
/// An endpoint is *settled* when its part of the last plan had no step, and waited only for what its own states or a
/// person decide. As long as nothing changes that its part follows from, that part stays what it was. So a plan for the
/// others is the plan for all, once two ties between endpoints are minded. Instances are shared: ``InstanceNeeds`` adds
/// up what settled endpoints want of them, and whoever uses one that is to have other copies is looked at again. And
/// where memory is bounded, a plan that needs some is made for everything, since everybody competes for it.
///
/// Of the others, the *open* ones, most only wait for their turn after a start. What such an endpoint adds to the plan is
/// kept as a ``PlanPart``, and it is not looked at again before something changes that the part follows from.
package struct IncrementalPlanner: Sendable {
    /// A plan, and what was looked at to make it.
    package struct Update: Sendable {
        /// Every step there is, and the waits of the endpoints that were looked at.
        package var plan: Plan
        /// Nil: everything was looked at.
        package var endpoints: Set<ResourceIdentity>?
        private var milestones: [StepKey: Milestone]

        package init(plan: Plan) {
            self.plan = plan
            self.milestones = [:]
        }

        fileprivate init(_ look: Look, _ scope: PlanScope) {
            self.plan = look.plan
            self.endpoints = scope.endpoints
            self.milestones = look.milestones
        }

        /// Whether the plan has a step.
        package func plans(_ step: StepKey) -> Bool {
            guard case .planned = self.milestones[step] else { return false }
            return true
        }
    }

    /// Where to find things in the states of the last plan.
    package var index = StateIndex()
    /// Open endpoints that are looked at in every plan.
    private var restless: Set<ResourceIdentity> = []
    /// What all other open endpoints add to a plan; sorted by variant.
    private var kept: [PlanPart] = []
    /// What settled endpoints wait for.
    private var settledWaits: [ResourceIdentity: [PlanWait]] = [:]
    private var needs = InstanceNeeds()
    /// Why variants roll, as far as the last plan asked.
    private var explained: [VariantID: Explanation] = [:]
    private var hasPlanned = false

    package init() {}

    /// Endpoints that are not settled.
    package var open: Set<ResourceIdentity> { self.restless.union(self.kept.map(\.endpoint)) }

    /// How many endpoints are not settled.
    package var openCount: Int {
        // An endpoint's variants are neighbours.
        let others = zip(self.kept, self.kept.dropFirst()).count { $0.endpoint != $1.endpoint }
        return self.restless.count + others + min(self.kept.count, 1)
    }

    /// Plans anew.
    ///
    /// - Parameter changes: at least what differs from the states of the last call; the first call looks at everything.
    package mutating func plan(
        desired: DesiredState,
        observed: ObservedState,
        changes: StateChanges,
        now: Timestamp
    ) -> Update {
        let changes = self.hasPlanned ? changes : .everything
        self.hasPlanned = true
        self.index.update(changes, desired: desired, observed: observed)
        var scope = PlanScope.everything
        if !changes.isEverything {
            // A backoff, a budget or a policy may be about any step there is.
            let isAboutAny =
                !observed.failures.isEmpty || observed.memoryBudget != nil
                || changes.parts.contains { $0.kind == .policy }
            let open = isAboutAny ? self.open : self.restless
            scope = .endpoints(open.union(self.index.endpoints(touchedBy: changes)))
        }
        while true {
            self.dropKept(in: scope)
            self.forgetNeeds(in: scope, changes.variants)
            let look = self.look(desired, observed, now, scope)
            for (variant, need) in look.needs { self.needs.replace(need, of: variant) }
            if let wider = look.wider {
                scope = wider
            } else {
                self.takeOver(look, scope)
                return Update(look, scope)
            }
        }
    }

    /// What everybody waits for, those too that the last update has not looked at.
    package func waits(with update: Update) -> [PlanWait] {
        guard let endpoints = update.endpoints else { return update.plan.waits }
        let others = self.settledWaits.filter { !endpoints.contains($0.key) }
        return update.plan.waits + others.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    /// What an endpoint waits for, if it is settled.
    package func settledWaits(of endpoint: ResourceIdentity) -> [PlanWait] { self.settledWaits[endpoint] ?? [] }

    /// - Parameter changed: Variants that may be gone from the index.
    private mutating func forgetNeeds(in scope: PlanScope, _ changed: Set<VariantID>) {
        switch scope {
        case .everything:
            self.needs = InstanceNeeds()
        case .endpoints(let endpoints):
            for variant in endpoints.flatMap({ self.index.variants(of: $0) }) {
                self.needs.replace(nil, of: variant)
            }
            for variant in changed { self.needs.replace(nil, of: variant) }
        }
    }

    private mutating func dropKept(in scope: PlanScope) {
        switch scope {
        case .everything: self.kept = []
        case .endpoints(let endpoints): self.kept.removeAll { endpoints.contains($0.endpoint) }
        }
    }

    /// What one pass has found out.
    fileprivate struct Look {
        var plan: Plan
        var milestones: [StepKey: Milestone] = [:]
        var open: Set<ResourceIdentity> = []
        /// Open endpoints that have to be looked at in the next plan, and the parts of the others.
        var restless: Set<ResourceIdentity> = []
        var parts: [PlanPart] = []
        var explained: [VariantID: Explanation] = [:]
        var needs: [(VariantID, InstanceNeeds.Need)]
        /// A scope that has everybody in it who is tied to this pass; nil where it had already.
        var wider: PlanScope?
    }

    /// Makes one pass, which is gone with its copies of all states when this returns.
    private func look(
        _ desired: DesiredState,
        _ observed: ObservedState,
        _ now: Timestamp,
        _ scope: PlanScope
    ) -> Look {
        var pass = PlanningPass(
            desired: desired,
            observed: observed,
            now: now,
            scope: scope,
            index: self.index,
            others: self.needs,
            kept: self.kept,
            explained: self.explained
        )
        var look = Look(plan: Plan(commit: desired.commit.id), needs: pass.situations.map { ($0.id, $0.need) })
        look.wider = self.widened(scope, for: pass)
        if look.wider == nil {
            look.plan = pass.run()
            look.milestones = pass.draft.milestones
            look.explained = pass.explained
            look.open = pass.draft.open
            let mayKeep = observed.failures.isEmpty && observed.memoryBudget == nil
            look.restless = mayKeep ? look.open.intersection(pass.draft.restless) : look.open
            look.parts = pass.parts.filter { look.open.contains($0.endpoint) && !look.restless.contains($0.endpoint) }
        }
        return look
    }

    private func widened(_ scope: PlanScope, for pass: PlanningPass) -> PlanScope? {
        guard case .endpoints(let endpoints) = scope else { return nil }
        if pass.competesForMemory { return .everything }
        let resized = pass.resizedInstances + pass.resizedLoads
        let users = Set(resized).flatMap { self.index.instanceUsers[$0] ?? [] }.map(\.resource)
        let wider = endpoints.union(users)
        return wider.count == endpoints.count ? nil : .endpoints(wider)
    }

    private mutating func takeOver(_ look: Look, _ scope: PlanScope) {
        switch scope {
        case .everything:
            self.restless = []
            self.settledWaits = [:]
        case .endpoints(let endpoints):
            self.restless.subtract(endpoints)
            if !self.settledWaits.isEmpty {
                for endpoint in endpoints { self.settledWaits[endpoint] = nil }
            }
        }
        self.restless.formUnion(look.restless)
        self.explained = look.explained
        // Two sorted runs, which are merged at the cost of a walk.
        if !look.parts.isEmpty { self.kept = (self.kept + look.parts).sorted { $0.variant < $1.variant } }
        for wait in look.plan.waits where wait.subject.kind == .endpoint && !look.open.contains(wait.subject) {
            self.settledWaits[wait.subject, default: []].append(wait)
        }
    }
}

extension PlanScope {
    fileprivate var endpoints: Set<ResourceIdentity>? {
        switch self {
        case .everything: nil
        case .endpoints(let endpoints): endpoints
        }
    }
}

extension PlanningPass {
    /// Whether memory is bounded and something may have to be loaded, or brought back.
    fileprivate var competesForMemory: Bool {
        guard self.observed.memoryBudget != nil else { return false }
        return self.situations.contains { situation in
            let instances = (situation.target?.eagerInstances ?? []) + (situation.promoted?.eagerInstances ?? [])
            return self.wantsPromotedBack(situation)
                || instances.contains { self.observed.runtime.instances[$0.key] == nil }
        }
    }

    /// Loaded instances that are to have another number of copies.
    fileprivate var resizedInstances: [InstanceKey] {
        self.observed.runtime.instances.compactMap { key, observation in
            guard observation.state == .ready, let wanted = self.copies[key] ?? self.others.copies(of: key) else {
                return nil
            }
            return wanted == observation.copies ? nil : key
        }
    }

    /// Instances that are to be loaded with another number of copies than the kept parts say.
    fileprivate var resizedLoads: [InstanceKey] {
        self.kept.flatMap(\.loads).filter { instance in
            let wanted = self.copies[instance.key] ?? self.others.copies(of: instance.key)
            return wanted.map { $0 != instance.copies } ?? false
        }
        .map(\.key)
    }
}
