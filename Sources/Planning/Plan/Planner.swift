internal import Schema

/// Decides what has to be done: a pure function of what is wanted, what is, and the time.
///
/// The plan holds every step from here to convergence, in an order in which each step comes after those it needs.
/// Steps follow from the difference between the two states alone, so a plan that is made again after some of its steps
/// were done holds the rest of them, and one that is made twice is the same twice.
///
/// This looks at everything, and is what is meant by *the* plan; ``IncrementalPlanner`` comes to the same at the cost of
/// what has changed.
package enum Planner {
    /// Plans for everything.
    package static func plan(desired: DesiredState, observed: ObservedState, now: Timestamp) -> Plan {
        var pass = PlanningPass(
            desired: desired,
            observed: observed,
            now: now,
            scope: .everything,
            index: StateIndex(desired: desired, observed: observed),
            others: InstanceNeeds()
        )
        return pass.run()
    }
}
