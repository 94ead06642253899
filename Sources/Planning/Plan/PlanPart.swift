internal import Schema

/// What one variant adds to a plan that only brings its revision up: kept, so that it can be added to later plans
/// without being worked out again, as long as nothing that it follows from has changed.
struct PlanPart: Sendable {
    /// One step, before it is known whether another variant asks for the same.
    struct Entry: Sendable {
        var action: StepAction
        var key: StepKey
        var reason: String
        var cause: PlanCause
        /// The entries of the same part that come first.
        var after: [Int]
    }

    let variant: VariantID
    let endpoint: ResourceIdentity
    private(set) var entries: [Entry] = []
    /// What it loads.
    private(set) var loads: [InstanceSpec] = []
    /// What became of each entry when it was worked out; not needed later.
    private var milestones: [Milestone] = []
    /// Whether the part holds good in other plans.
    private(set) var isKeepable = true

    init(of situation: VariantSituation) {
        self.variant = situation.id
        self.endpoint = situation.endpoint
        // Who replaces a promoted revision takes that one down in the end, which is a matter between all who share it.
        self.isKeepable =
            situation.mode == .follow && situation.newHolds.isEmpty
            && (situation.promoted == nil || !situation.isRolling)
    }

    /// Takes a step on, with what became of it.
    mutating func append(
        _ action: StepAction,
        _ key: StepKey,
        because reason: String,
        cause: PlanCause,
        after: [Milestone],
        _ milestone: Milestone
    ) {
        guard self.isKeepable else { return }
        var places: [Int] = []
        for earlier in after where earlier != .reached {
            guard let place = self.milestones.lastIndex(of: earlier) else { return self.giveUp() }
            places.append(place)
        }
        guard milestone != .waiting, action.onlyBringsUp else { return self.giveUp() }
        self.entries.append(Entry(action: action, key: key, reason: reason, cause: cause, after: places))
        self.milestones.append(milestone)
        if case .load(let instance) = action { self.loads.append(instance) }
    }

    private mutating func giveUp() {
        (self.isKeepable, self.entries, self.loads, self.milestones) = (false, [], [], [])
    }

    /// The part as it is kept.
    var kept: PlanPart {
        var kept = self
        kept.milestones = []
        return kept
    }
}

extension StepAction {
    /// Whether the step takes nothing from anybody, and says nothing about the moment when it was planned.
    fileprivate var onlyBringsUp: Bool {
        switch self {
        case .probe, .load, .start, .warmUp, .setTraffic, .promote, .scale: true
        case .beginRollout, .advanceRollout, .hold, .liftHold, .applySettings, .drain, .stop, .unload, .removeEndpoint,
            .forget:
            false
        }
    }
}
