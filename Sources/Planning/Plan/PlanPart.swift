internal import Schema

/// What one variant adds to a plan that only brings its revision up: kept, so that it can be added to later plans
/// without being worked out again, as long as nothing that it follows from has changed.
final class PlanPart: Sendable {
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
    let entries: [Entry]
    /// What it loads.
    let loads: [InstanceSpec]

    fileprivate init(_ variant: VariantID, _ endpoint: ResourceIdentity, _ entries: [Entry]) {
        self.variant = variant
        self.endpoint = endpoint
        self.entries = entries
        self.loads = entries.compactMap { entry in
            if case .load(let instance) = entry.action { instance } else { nil }
        }
    }
}

/// A part in the making.
struct PlanPartDraft {
    let situation: VariantSituation
    private var entries: [PlanPart.Entry] = []
    /// What became of each entry.
    private var milestones: [Milestone] = []
    /// Whether the part holds good in other plans.
    private var isKeepable: Bool

    init(of situation: VariantSituation) {
        self.situation = situation
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
        guard self.isKeepable, milestone != .waiting, action.onlyBringsUp else {
            self.isKeepable = false
            return
        }
        var places: [Int] = []
        for earlier in after where earlier != .reached {
            guard let place = self.milestones.lastIndex(of: earlier) else {
                self.isKeepable = false
                return
            }
            places.append(place)
        }
        self.entries.append(PlanPart.Entry(action: action, key: key, reason: reason, cause: cause, after: places))
        self.milestones.append(milestone)
    }

    /// The part; nil if it cannot be kept.
    var part: PlanPart? {
        self.isKeepable ? PlanPart(self.situation.id, self.situation.endpoint, self.entries) : nil
    }
}

extension StepAction {
    /// Whether the step takes nothing from anybody, and says nothing about the moment when it was planned.
    fileprivate var onlyBringsUp: Bool {
        switch self {
        case .probe, .load, .start, .warmUp, .setTraffic, .promote: true
        case .scale(_, let replicas): replicas > 0
        case .beginRollout, .advanceRollout, .hold, .liftHold, .applySettings, .drain, .stop, .unload, .removeEndpoint,
            .forget:
            false
        }
    }
}
