package import Schema

/// What statuses are read from at one moment.
package struct StatusSight {
    let survey: StatusSurvey

    /// - Parameters:
    ///   - waits: What the newest plan waits for, by subject.
    ///   - settled: What endpoints wait for that are not in there.
    ///   - underWay: Requests on each runner now; nil: as many as were observed.
    package init(
        desired: DesiredState,
        observed: ObservedState,
        index: StateIndex,
        waits: [ResourceIdentity: [PlanWait]],
        settled: @escaping (ResourceIdentity) -> [PlanWait] = { _ in [] },
        underWay: [RunnerKey: Int]? = nil
    ) {
        self.survey = StatusSurvey(desired: desired, observed: observed, index: index, underWay: underWay) {
            waits[$0] ?? settled($0)
        }
    }
}

/// Keeps how every resource is doing, at the cost of what has changed.
package struct StatusBook: Sendable {
    /// What counts of one resource for the whole.
    private struct Summary: Sendable, Hashable {
        /// Nil: it is only checked, and does not count.
        var sync: SyncStatus?
        var health: HealthStatus
    }

    /// The conditions of every resource, as they were last written.
    package private(set) var conditions: [ResourceIdentity: [Condition]]
    private var summaries: [ResourceIdentity: Summary] = [:]
    private var counts: [Summary: Int] = [:]
    private var sorted: [ResourceIdentity]?
    /// Policies, whose status tells about all that they reach.
    package private(set) var policies: Set<ResourceIdentity> = []

    package init(conditions: [ResourceIdentity: [Condition]] = [:]) {
        self.conditions = conditions
    }

    /// Judges resources anew, and gives the conditions that have moved; ``accept(_:)`` makes them the written ones.
    ///
    /// - Parameter identities: Nil: everything.
    package mutating func update(
        _ identities: Set<ResourceIdentity>?,
        in sight: StatusSight,
        at now: Timestamp
    ) -> [ResourceIdentity: [Condition]] {
        var judged = identities ?? []
        if identities == nil {
            judged = Set(StatusSurvey.identities(sight.survey.desired, sight.survey.observed))
            judged.formUnion(self.summaries.keys)
            judged.formUnion(self.conditions.keys)
        }
        var moved: [ResourceIdentity: [Condition]] = [:]
        for identity in judged {
            let before = self.conditions[identity]
            guard sight.survey.isThere(identity) else {
                self.note(nil, of: identity)
                // What left the repository and is gone has no conditions any more.
                if before != nil { moved[identity] = [] }
                continue
            }
            let verdict = sight.survey.verdict(on: identity)
            let isCarriedOut = sight.survey.isCarriedOut(identity)
            self.note(Summary(sync: isCarriedOut ? verdict.sync : nil, health: verdict.health), of: identity)
            let conditions = verdict.conditions.map { $0.condition(since: before ?? [], at: now) }
            if conditions != before { moved[identity] = conditions }
        }
        return moved
    }

    /// Notes that conditions have been written.
    package mutating func accept(_ moved: [ResourceIdentity: [Condition]]) {
        for (identity, conditions) in moved { self.conditions[identity] = conditions.isEmpty ? nil : conditions }
    }

    /// Every resource that was there at the last update; sorted.
    package var identities: [ResourceIdentity] {
        mutating get {
            let sorted = self.sorted ?? self.summaries.keys.sorted()
            self.sorted = sorted
            return sorted
        }
    }

    /// As many endpoints as a limit allows, those first that are not as they should be, and how many are left out.
    package mutating func endpoints(atMost limit: Int) -> (listed: [ResourceIdentity], more: Int) {
        let all = self.identities.filter { $0.kind == .endpoint }
        guard all.count > limit else { return (all, 0) }
        let good: Set<Summary> = [
            Summary(sync: .synced, health: .healthy), Summary(sync: nil, health: .healthy),
        ]
        let isGood = { [summaries = self.summaries] identity in summaries[identity].map(good.contains) ?? false }
        let first = all.filter { !isGood($0) } + all.filter(isGood)
        return (Array(first.prefix(limit)), all.count - limit)
    }

    /// Whether a resource was there at the last update.
    package func has(_ identity: ResourceIdentity) -> Bool { self.summaries[identity] != nil }

    /// One resource as it is now, with the conditions that were last written where they still hold.
    package func view(of identity: ResourceIdentity, in sight: StatusSight, at now: Timestamp) -> ResourceView {
        var (view, verdict) = sight.survey.view(of: identity)
        view.conditions = verdict.conditions.map { $0.condition(since: self.conditions[identity] ?? [], at: now) }
        return view
    }

    /// Out of sync when any resource is, or when something in the commit could not be used.
    package func sync(_ desired: DesiredState) -> SyncStatus {
        if desired.diagnostics.contains(where: { $0.severity == .error }) { return .outOfSync }
        let found = Set(self.counts.keys.compactMap(\.sync))
        if found.contains(.outOfSync) { return .outOfSync }
        return found.contains(.unknown) ? .unknown : .synced
    }

    /// The worst health of any resource; kinds that are not carried out do not count.
    package var health: HealthStatus {
        let order: [HealthStatus] = [.degraded, .missing, .progressing, .suspended, .healthy]
        let found = Set(self.counts.keys.map(\.health))
        return order.first { found.contains($0) } ?? .healthy
    }

    private mutating func note(_ summary: Summary?, of identity: ResourceIdentity) {
        let old = self.summaries[identity]
        guard old != summary else { return }
        if (old == nil) != (summary == nil) { self.sorted = nil }
        if let old { self.counts[old] = self.counts[old].flatMap { $0 > 1 ? $0 - 1 : nil } }
        if let summary { self.counts[summary, default: 0] += 1 }
        self.summaries[identity] = summary
        guard identity.kind == .policy else { return }
        if summary == nil { self.policies.remove(identity) } else { self.policies.insert(identity) }
    }
}
