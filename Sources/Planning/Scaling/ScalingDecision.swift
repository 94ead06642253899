package import Schema

/// How many replicas a variant is to have, and why.
package struct ScalingDecision: Sendable, Hashable {
    package var replicas: Int
    /// With the numbers that it was decided by: `12 requests at once, 4 per replica: 3 replicas`.
    package var reason: String

    package init(replicas: Int, reason: String) {
        self.replicas = replicas
        self.reason = reason
    }
}

extension EndpointSpec.Replicas {
    /// Whether the number is always the same, so that nobody has to look at how much there is to do.
    package var isFixed: Bool { self.max <= self.min }

    /// The number before anything is known of how much there is to do. With `min: 0` it is one as well: what has never
    /// answered is not known to work.
    package var initial: Int { Swift.max(self.min, 1) }

    /// The nearest number that is allowed.
    package func clamp(_ replicas: Int) -> Int {
        Swift.max(self.min, Swift.min(replicas, self.max))
    }

    /// The number that is wanted: as it was decided, within bounds that may have changed since.
    package func wanted(_ decision: ScalingDecision?) -> ScalingDecision {
        guard !self.isFixed else {
            return ScalingDecision(
                replicas: self.initial,
                reason: "spec.replicas asks for \(ScalingDecision.words(self.initial))"
            )
        }
        guard let decision else {
            return ScalingDecision(
                replicas: self.initial,
                reason: "\(ScalingDecision.words(self.initial)) to begin with"
            )
        }
        let allowed = self.clamp(decision.replicas)
        guard allowed != decision.replicas else { return decision }
        let bound = allowed == self.min ? "min" : "max"
        return ScalingDecision(
            replicas: allowed,
            reason: "spec.replicas.\(bound) is \(allowed): \(ScalingDecision.words(allowed))"
        )
    }
}

extension ScalingDecision {
    /// `1 replica`, `3 replicas`.
    package static func words(_ replicas: Int) -> String { replicas == 1 ? "1 replica" : "\(replicas) replicas" }
}
