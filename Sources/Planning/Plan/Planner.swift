internal import Schema

/// Decides what has to be done: a pure function of what is wanted, what is, and the time.
///
/// The plan holds every step from here to convergence, in an order in which each step comes after those it needs.
/// Steps follow from the difference between the two states alone, so a plan that is made again after some of its steps
/// were done holds the rest of them, and one that is made twice is the same twice.
package enum Planner {
    /// Plans for the endpoints in `scope`; what the others need and hold is left alone.
    package static func plan(
        desired: DesiredState,
        observed: ObservedState,
        now: Timestamp,
        scope: PlanScope = .everything
    ) -> Plan {
        var pass = PlanningPass(desired: desired, observed: observed, now: now, scope: scope)
        return pass.run()
    }
}
