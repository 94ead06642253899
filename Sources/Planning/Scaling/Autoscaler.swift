package import Schema

/// Decides how many replicas one variant has: looks in, numbers out. Pure.
///
/// So many requests at once need `ceil(requests / targetConcurrency)` replicas. The number goes up to what was needed at
/// all times of the last `scaleUpDelay`, and down to what was needed at any time of the last `scaleDownDelay`; between
/// the two it stays, so that it does not flap. A variant without replicas gets what the waiting requests need at once.
/// All of it stays within `min` and `max`.
package struct Autoscaler: Sendable, Hashable {
    package private(set) var decision: ScalingDecision
    /// The fewest requests at once of the last `scaleUpDelay`.
    private var least: SlidingExtreme
    /// The most requests at once of the last `scaleDownDelay`.
    private var greatest: SlidingExtreme

    /// Begins as if what there is were just what is needed: it is watched for the delays before anything changes.
    ///
    /// - Parameter replicas: The number that there is; nil: the manifest's own.
    package init(_ policy: EndpointSpec.Replicas, replicas: Int? = nil) {
        self.decision = policy.wanted(replicas.map { ScalingDecision(replicas: $0, reason: "as many as there were") })
        let requests = Double(self.decision.replicas * policy.targetConcurrency)
        (self.least, self.greatest) = (SlidingExtreme(.least, requests), SlidingExtreme(.greatest, requests))
    }

    /// Takes in one look; gives the decision if it is another number than before.
    ///
    /// - Parameters:
    ///   - policy: What the manifest says now.
    ///   - now: On a time line that all looks share.
    package mutating func receive(
        _ demand: RequestDemand,
        under policy: EndpointSpec.Replicas,
        at now: Duration
    ) -> ScalingDecision? {
        let current = self.decision.replicas
        // Who waits for a first replica has been there for a moment only, of which an average tells nothing.
        let seen = current == 0 ? max(demand.average, Double(demand.now)) : demand.average
        // What is no number counts as nothing.
        let requests = seen > 0 ? min(seen, 1e9) : 0
        let least = self.least.record(requests, at: now, within: policy.scaleUpDelay.duration)
        let greatest = self.greatest.record(requests, at: now, within: policy.scaleDownDelay.duration)
        let decision: ScalingDecision
        if current == 0, requests > 0 {
            decision = policy.decision(for: requests, "\(Autoscaler.words(requests)) came while no replica ran")
        } else if policy.needed(for: least) > current {
            decision = policy.decision(for: least, "\(Autoscaler.words(least)) at once\(policy.upDelayWords)")
        } else if policy.needed(for: greatest) < current {
            let most = greatest == 0 ? "no request" : "at most \(Autoscaler.words(greatest)) at once"
            decision = policy.decision(for: greatest, most + policy.downDelayWords)
        } else {
            decision = policy.wanted(self.decision)
        }
        guard decision.replicas != current else { return nil }
        self.decision = decision
        return decision
    }

    /// `1 request`, `11.6 requests`; rounded up, as the number of replicas is.
    private static func words(_ requests: Double) -> String {
        let tenths = Int((requests * 10).rounded(.up))
        if tenths == 10 { return "1 request" }
        return "\(tenths / 10)\(tenths % 10 == 0 ? "" : ".\(tenths % 10)") requests"
    }
}

extension EndpointSpec.Replicas {
    /// Replicas that so many requests at once need, whatever is allowed.
    fileprivate func needed(for requests: Double) -> Int {
        Int((requests / Double(Swift.max(self.targetConcurrency, 1))).rounded(.up))
    }

    /// What is needed, within the bounds, with the numbers in words.
    fileprivate func decision(for requests: Double, _ evidence: String) -> ScalingDecision {
        let needed = self.needed(for: requests)
        let allowed = self.clamp(needed)
        let bound =
            allowed < needed
            ? ", as many as spec.replicas.max allows" : allowed > needed ? ", as spec.replicas.min asks for" : ""
        let share = needed == 0 ? "" : ", \(self.targetConcurrency) per replica"
        return ScalingDecision(
            replicas: allowed,
            reason: "\(evidence)\(share): \(ScalingDecision.words(allowed))\(bound)"
        )
    }

    fileprivate var upDelayWords: String {
        self.scaleUpDelay.milliseconds == 0 ? "" : " for \(self.scaleUpDelay)"
    }

    fileprivate var downDelayWords: String {
        self.scaleDownDelay.milliseconds == 0 ? " now" : " in the last \(self.scaleDownDelay)"
    }
}
