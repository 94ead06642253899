internal import Schema

/// How far a plan comes with something that other steps depend on.
enum Milestone: Sendable, Hashable {
    /// It is so already.
    case reached
    /// It is so after the plan's step with this index.
    case planned(Int)
    /// The plan cannot bring it about: something is waited for.
    case waiting
}

/// A plan in the making: appends steps in an order that respects `after`, and holds back what must wait.
struct PlanDraft {
    private let failures: [StepKey: StepFailure]
    private let now: Timestamp
    private(set) var steps: [PlanStep] = []
    private(set) var waits: [PlanWait] = []
    private(set) var milestones: [StepKey: Milestone] = [:]
    private var noted: Set<PlanWait> = []
    /// The endpoints that something is to be done for, or that wait for something that no change of the states
    /// announces.
    private(set) var open: Set<ResourceIdentity> = []
    /// Who was noted there last.
    private var opened: ResourceIdentity?
    /// Those of them whose part of the plan has more than ``PlanPart`` can keep.
    private(set) var restless: Set<ResourceIdentity> = []
    /// The part that steps are added to now.
    private var part: PlanPartDraft?

    init(failures: [StepKey: StepFailure], now: Timestamp) {
        self.failures = failures
        self.now = now
    }

    /// Appends a step, unless the same one is there already, one of `after` is waited for, or the step failed and its
    /// backoff is not over: then that becomes a wait of `subject`, at the latest until `deadline`.
    mutating func add(
        _ action: StepAction,
        for subject: ResourceIdentity,
        because reason: String,
        cause: PlanCause? = nil,
        after: [Milestone] = [],
        deadline: Timestamp? = nil
    ) -> Milestone {
        self.noteOpen(subject)
        let (key, cause) = (action.key, cause ?? PlanCause(resource: subject))
        let milestone = self.milestone(of: action, key, for: subject, because: reason, cause, after, deadline)
        if self.part == nil { self.restless.insert(subject) }
        self.part?.append(action, key, because: reason, cause: cause, after: after, milestone)
        return milestone
    }

    /// Has the steps that are added from now on, until ``endPart()``, noted as a variant's part.
    mutating func beginPart(of situation: VariantSituation) {
        self.part = PlanPartDraft(of: situation)
    }

    /// The part that was begun last, if it can be kept.
    mutating func endPart() -> PlanPart? {
        defer { self.part = nil }
        guard let draft = self.part else { return nil }
        if let part = draft.part { return part }
        self.restless.insert(draft.situation.endpoint)
        return nil
    }

    /// Makes room for the steps of parts that were kept.
    mutating func reserve(for parts: [PlanPart]) {
        let count = parts.reduce(0) { $0 + $1.entries.count }
        self.steps.reserveCapacity(count)
        self.milestones.reserveCapacity(count)
    }

    /// Adds the steps of a part that was kept, just as if they were added one by one again.
    mutating func add(_ part: PlanPart) {
        var milestones: [Milestone] = []
        for entry in part.entries {
            let after = entry.after.map { milestones[$0] }
            milestones.append(
                self.milestones[entry.key]
                    ?? self.append(entry.action, entry.key, because: entry.reason, entry.cause, after)
            )
        }
    }

    private mutating func milestone(
        of action: StepAction,
        _ key: StepKey,
        for subject: ResourceIdentity,
        because reason: String,
        _ cause: PlanCause,
        _ after: [Milestone],
        _ deadline: Timestamp?
    ) -> Milestone {
        if let known = self.milestones[key] { return known }
        guard !after.contains(.waiting) else { return .waiting }
        guard let failure = self.failures[key], failure.retryAt > self.now else {
            return self.append(action, key, because: reason, cause, after)
        }
        self.milestones[key] = .waiting
        let until = min(failure.retryAt, deadline ?? failure.retryAt)
        self.waits.append(
            PlanWait(
                subject: subject,
                reason: "\(action.word) of \(action.subject) failed (try \(failure.attempts)): \(failure.message); "
                    + "it is tried again",
                until: max(until, self.now),
                word: "BackingOff",
                step: key
            )
        )
        return .waiting
    }

    /// Appends a step that can be done and is not there yet.
    private mutating func append(
        _ action: StepAction,
        _ key: StepKey,
        because reason: String,
        _ cause: PlanCause,
        _ after: [Milestone]
    ) -> Milestone {
        let milestone = Milestone.planned(self.steps.count)
        self.milestones[key] = milestone
        self.steps.append(PlanStep(action: action, reason: reason, cause: cause, after: self.indices(of: after)))
        return milestone
    }

    /// Notes something that no step can bring about.
    ///
    /// - Parameter isDecided: whether it stands until something is different about the subject itself; what others may
    ///   bring about is looked at again with every plan.
    mutating func wait(_ subject: ResourceIdentity, _ word: String, _ reason: String, isDecided: Bool = false) {
        if !isDecided { self.noteOpen(subject) }
        self.restless.insert(subject)
        let wait = PlanWait(subject: subject, reason: reason, until: nil, word: word)
        if self.noted.insert(wait).inserted { self.waits.append(wait) }
    }

    /// Most steps are for whom the one before is.
    private mutating func noteOpen(_ subject: ResourceIdentity) {
        guard subject != self.opened, subject.kind == .endpoint else { return }
        self.open.insert(subject)
        self.opened = subject
    }

    /// The indices of planned milestones, without those that the others come after anyway.
    private func indices(of milestones: [Milestone]) -> [Int] {
        let indices = milestones.compactMap { milestone -> Int? in
            guard case .planned(let index) = milestone else { return nil }
            return index
        }
        guard indices.count > 1, let first = indices.min() else { return indices }
        var implied: Set<Int> = []
        var open = indices.flatMap { self.steps[$0].after }
        while let index = open.popLast() {
            if index >= first, implied.insert(index).inserted { open += self.steps[index].after }
        }
        return Set(indices).subtracting(implied).sorted()
    }
}
