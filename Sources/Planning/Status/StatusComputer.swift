package import Schema

/// Tells, purely, how every resource is doing: for people, for `status --wait`, and for the conditions in the store.
package enum StatusComputer {
    /// The status of everything at one moment.
    package struct Status: Sendable, Hashable {
        /// Sorted by identity; without specs.
        package var resources: [ResourceView]
        /// By identity, the same as in ``resources``.
        package var conditions: [ResourceIdentity: [Condition]]
        package var sync: SyncStatus
        package var health: HealthStatus
    }

    /// Computes the status from what is wanted, what is, and what the newest plan still has to do or waits for.
    ///
    /// - Parameter previous: conditions as they were last written; a condition whose status is the same keeps its
    ///   transition time.
    package static func compute(
        desired: DesiredState,
        observed: ObservedState,
        plan: Plan,
        previous: [ResourceIdentity: [Condition]] = [:],
        now: Timestamp
    ) -> Status {
        let survey = StatusSurvey(desired: desired, observed: observed, plan: plan)
        var resources: [ResourceView] = []
        var conditions: [ResourceIdentity: [Condition]] = [:]
        for identity in survey.identities {
            var (view, verdict) = survey.view(of: identity)
            let before = previous[identity] ?? []
            view.conditions = verdict.conditions.map { $0.condition(since: before, at: now) }
            conditions[identity] = view.conditions
            resources.append(view)
        }
        // What left the repository and is gone has no conditions any more.
        for identity in previous.keys where conditions[identity] == nil { conditions[identity] = [] }
        return Status(
            resources: resources,
            conditions: conditions,
            sync: survey.overallSync(of: resources),
            health: StatusComputer.overallHealth(of: resources)
        )
    }

    /// The worst health of any resource; kinds that are not carried out do not count.
    private static func overallHealth(of resources: [ResourceView]) -> HealthStatus {
        let order: [HealthStatus] = [.degraded, .missing, .progressing, .suspended, .healthy]
        let found = Set(resources.map(\.health))
        return order.first { found.contains($0) } ?? .healthy
    }
}
