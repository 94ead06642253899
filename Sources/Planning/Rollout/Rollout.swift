package import Schema

/// How one revision of one variant takes over from the promoted one.
///
/// A value: events in, actions out. Only the planner drives it; time and evidence reach it as events.
package struct Rollout: Sendable, Hashable, Codable {
    package enum Phase: String, Sendable, Hashable, Codable {
        /// Instances load, replicas start and warm up.
        case preparing
        /// The revision takes traffic, step by step.
        case shifting
        /// All traffic is on the revision; it is to be promoted.
        case complete
        case failed
    }

    package var revision: Revision
    package var strategy: EndpointSpec.Rollout.Strategy
    package var phase: Phase
    /// The index of the strategy's current step.
    package var step: Int
    package var startedAt: Timestamp

    package init(
        revision: Revision,
        strategy: EndpointSpec.Rollout.Strategy,
        phase: Phase = .preparing,
        step: Int = 0,
        startedAt: Timestamp
    ) {
        self.revision = revision
        self.strategy = strategy
        self.phase = phase
        self.step = step
        self.startedAt = startedAt
    }
}
