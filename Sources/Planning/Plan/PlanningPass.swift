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
    var draft: PlanDraft
    /// Every variant that is wanted, runs or was written down, sorted.
    var situations: [VariantSituation] = []
    /// Steps that decide about a variant: what else is done for it comes after them.
    var decisions: [VariantID: [Milestone]] = [:]
    /// How many copies each wanted instance needs.
    var copies: [InstanceKey: Int] = [:]
    /// What this plan loads, makes ready and stops.
    var loads: [InstanceKey: Milestone] = [:]
    var starts: [RunnerKey: Milestone] = [:]
    var stops: [RunnerKey: Milestone] = [:]
    /// Variants that this plan promotes a new revision of.
    var promotions: [VariantID: Milestone] = [:]
    var memory = MemoryAdmission()

    init(desired: DesiredState, observed: ObservedState, now: Timestamp, scope: PlanScope) {
        self.desired = desired
        self.observed = observed
        self.now = now
        self.scope = scope
        self.draft = PlanDraft(failures: observed.failures, now: now)
    }

    mutating func run() -> Plan {
        self.situations = self.survey()
        self.noteCopies()
        self.applySettings()
        self.decide()
        self.clearLeftovers()
        self.unloadGarbage()
        self.admitToMemory()
        for index in self.situations.indices where self.isPlanned(self.situations[index]) {
            self.bring(self.situations[index])
        }
        self.unloadRetired()
        self.forgetPruned()
        return Plan(
            commit: self.desired.commit.id,
            steps: self.draft.steps,
            waits: self.draft.waits,
            guarded: self.desired.guarded
        )
    }

    func isPlanned(_ situation: VariantSituation) -> Bool {
        self.scope.contains(situation.endpoint)
    }

    func failure(of action: StepAction) -> StepFailure? {
        self.observed.failures.isEmpty ? nil : self.observed.failures[action.key]
    }

    /// Whether an instance can answer now.
    func isReady(_ instance: InstanceKey) -> Bool {
        self.observed.runtime.instances[instance]?.state == .ready
    }

    private mutating func noteCopies() {
        for situation in self.situations {
            for instance in situation.target?.instances ?? [] {
                self.copies[instance.key] = max(self.copies[instance.key] ?? 1, instance.copies)
            }
        }
    }
}
