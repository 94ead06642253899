internal import Schema

extension Rollout {
    /// What a rollout is told: time and evidence reach it in this form only.
    package enum Event: Sendable, Hashable {
        /// The planner takes the rollout up, for the first time or again.
        case resumed
        /// The revision's replicas are ready to take traffic.
        case prepared
        /// The revision takes this share of the variant's requests, 0 to 100.
        case shifted(Int)
        /// It was written down that the revision is the promoted one.
        case promoted
        /// The revision cannot be made ready, or must not go on.
        case failed
    }

    /// What a rollout asks for next.
    package enum Action: Sendable, Hashable {
        /// Load the instances, start the replicas, warm up; answered by ``Event/prepared``.
        case prepare
        /// Give the revision this share of the variant's requests; answered by ``Event/shifted(_:)``.
        case shift(Int)
        /// Write down that the revision is the promoted one; answered by ``Event/promoted``.
        case promote
        /// All requests go back to the promoted revision, and this one is taken down.
        case abandon
    }

    /// Takes in one event and says what to do next; nothing: the rollout has ended.
    ///
    /// Every phase asks again for what it needs, so a rollout that was taken up after a restart goes on from its step.
    package mutating func receive(_ event: Event, at now: Timestamp) -> [Action] {
        switch (event, self.phase) {
        case (_, .failed):
            return []
        case (.failed, _):
            self.phase = .failed
            return [.abandon]
        case (.resumed, _):
            return [.prepare]
        case (.prepared, .complete):
            return [.promote]
        case (.prepared, .preparing), (.prepared, .shifting):
            self.phase = .shifting
            return [.shift(self.weight)]
        case (.shifted(let weight), _):
            return self.advance(from: weight)
        case (.promoted, _):
            self.phase = .complete
            return []
        }
    }

    /// The share that the current step gives to the revision.
    private var weight: Int {
        switch self.strategy {
        // The desired state's builder lets no other strategy through in this version.
        case .immediate, .canary, .blueGreen, .shadow, .experiment: 100
        }
    }

    private mutating func advance(from weight: Int) -> [Action] {
        guard weight >= 100 else { return [.shift(self.weight)] }
        self.phase = .complete
        return [.promote]
    }
}
