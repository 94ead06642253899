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
    /// This looks at everything, and is what is meant by *the* status; ``StatusBook`` keeps the same at the cost of what
    /// has changed.
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
        let sight = StatusSight(
            desired: desired,
            observed: observed,
            index: StateIndex(desired: desired, observed: observed),
            waits: Dictionary(grouping: plan.waits, by: \.subject)
        )
        var book = StatusBook(conditions: previous)
        let moved = book.update(nil, in: sight, at: now)
        book.accept(moved)
        var conditions = book.conditions
        for (identity, moved) in moved where moved.isEmpty { conditions[identity] = [] }
        return Status(
            resources: book.identities.map { book.view(of: $0, in: sight, at: now) },
            conditions: conditions,
            sync: book.sync(desired),
            health: book.health
        )
    }
}
