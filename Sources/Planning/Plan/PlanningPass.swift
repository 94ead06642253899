internal import Schema

/// One run of the planner: what it has looked up, and the plan as far as it has come.
///
/// The order of the parts is the order of the plan: settings, decisions, what can go at once, what has to come, what
/// can go afterwards. Each part stands in a file of its own.
struct PlanningPass {
    let desired: DesiredState
    let observed: ObservedState
    let now: Timestamp
    let scope: PlanScope
    let index: StateIndex
    /// What the variants need that are not part of this pass.
    let others: InstanceNeeds
    /// What endpoints that are not part of this pass add to the plan; sorted by variant.
    let kept: [PlanPart]
    /// What the variants of this pass add to the plan, where that can be kept; empty where nobody asks.
    private(set) var parts: [PlanPart] = []
    /// Why variants roll, as the last plan found it out, and as far as this one has asked.
    let explainedBefore: [VariantID: Explanation]
    var explained: [VariantID: Explanation] = [:]
    var draft: PlanDraft
    /// Every variant in scope that is wanted, runs or was written down, sorted.
    var situations: [VariantSituation] = []
    /// Steps that decide about a variant: what else is done for it comes after them.
    var decisions: [VariantID: [Milestone]] = [:]
    /// How many copies each wanted instance needs.
    var copies: [InstanceKey: Int] = [:]
    /// What this plan loads, makes ready and stops.
    var loads: [InstanceKey: Milestone] = [:]
    var starts: [RunnerKey: Milestone] = [:]
    var stops: [RunnerKey: Milestone] = [:]
    /// Runners that this plan gives another number of replicas, and of these the ones that it leaves without any.
    var scales: [RunnerKey: Milestone] = [:]
    var releases: [RunnerKey: Milestone] = [:]
    /// Variants that this plan promotes a new revision of.
    var promotions: [VariantID: Milestone] = [:]
    var memory = MemoryAdmission()

    /// Looks at everything in scope, and decides nothing yet.
    init(
        desired: DesiredState,
        observed: ObservedState,
        now: Timestamp,
        scope: PlanScope,
        index: StateIndex,
        others: InstanceNeeds,
        kept: [PlanPart] = [],
        explained: [VariantID: Explanation] = [:]
    ) {
        self.desired = desired
        self.observed = observed
        self.now = now
        self.scope = scope
        self.index = index
        self.others = others
        self.kept = kept
        self.explainedBefore = explained
        self.draft = PlanDraft(failures: observed.failures, now: now)
        self.situations = self.survey()
        self.noteCopies()
    }

    mutating func run() -> Plan {
        self.applySettings()
        self.decide()
        self.clearLeftovers()
        self.unloadGarbage()
        self.admitToMemory()
        self.bringAll()
        self.unloadRetired()
        self.forgetPruned()
        return Plan(
            commit: self.desired.commit.id,
            steps: self.draft.steps,
            waits: self.draft.waits,
            guarded: self.desired.guarded
        )
    }

    /// Brings every variant to its target, in order, those too that this pass does not look at.
    private mutating func bringAll() {
        self.draft.reserve(for: self.kept)
        var next = self.kept.startIndex
        for situation in self.situations {
            while next < self.kept.endIndex, self.kept[next].variant < situation.id {
                self.draft.add(self.kept[next])
                next += 1
            }
            self.draft.beginPart(of: situation)
            self.bring(situation)
            if let part = self.draft.endPart() { self.parts.append(part) }
        }
        for part in self.kept[next...] { self.draft.add(part) }
    }

    func failure(of action: StepAction) -> StepFailure? {
        self.observed.failures.isEmpty ? nil : self.observed.failures[action.key]
    }

    /// Whether an instance can answer now.
    func isReady(_ instance: InstanceKey) -> Bool {
        self.observed.runtime.instances[instance]?.state == .ready
    }

    /// Whether requests for an instance find it ready, or have it loaded.
    func canAnswer(_ instance: InstanceSpec) -> Bool {
        instance.isLazy || self.isReady(instance.key)
    }

    private mutating func noteCopies() {
        for situation in self.situations {
            for instance in situation.wantedInstances {
                let others = self.copies[instance.key] ?? self.others.copies(of: instance.key) ?? 1
                self.copies[instance.key] = max(others, instance.copies)
            }
        }
    }
}
