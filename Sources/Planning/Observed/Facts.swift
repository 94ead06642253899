package import Schema

/// Who decided something: the controller itself, or a person.
package struct Actor: Sendable, Hashable, Codable, CustomStringConvertible {
    package var name: String

    package init(_ name: String) {
        self.name = name
    }

    /// The controller's own decisions.
    package static let controller = Actor("martlet")

    package var description: String { self.name }
}

/// A durable decision not to roll out one revision of one variant.
package struct Hold: Sendable, Hashable, Codable {
    package var variant: VariantID
    package var revision: Revision
    /// One UpperCamelCase word: `WarmUpFailed`, `CrashedWhileLoading`, `RolledBack`.
    package var reason: String
    /// What happened, in a sentence.
    package var message: String
    package var actor: Actor
    package var at: Timestamp
    /// The commit whose revision is held.
    package var commit: ObjectID
    /// The revision to serve instead; nil: the promoted one.
    package var target: Revision?

    package init(
        variant: VariantID,
        revision: Revision,
        reason: String,
        message: String,
        actor: Actor,
        at: Timestamp,
        commit: ObjectID,
        target: Revision? = nil
    ) {
        self.variant = variant
        self.revision = revision
        self.reason = reason
        self.message = message
        self.actor = actor
        self.at = at
        self.commit = commit
        self.target = target
    }
}

/// What was written down about one variant.
package struct VariantFacts: Sendable, Hashable, Codable {
    /// The revision that answers when all is well.
    package var promoted: Revision?
    /// Promoted before, newest last, without ``promoted``; `rollback` without `--to` goes to the last.
    package var earlier: [Revision]
    /// The revision whose rollout was last begun.
    package var attempted: Revision?
    /// The rollout under way, if one is.
    package var rollout: Rollout?
    /// The resolved graphs of every revision named above and of the last three attempted, newest last.
    package var graphs: [RevisionGraph]
    /// The endpoint's settings when they were last applied: in force again after a restart, should the endpoint's
    /// document be broken by then.
    package var settings: EndpointSettings?

    package init(
        promoted: Revision? = nil,
        earlier: [Revision] = [],
        attempted: Revision? = nil,
        rollout: Rollout? = nil,
        graphs: [RevisionGraph] = [],
        settings: EndpointSettings? = nil
    ) {
        self.promoted = promoted
        self.earlier = earlier
        self.attempted = attempted
        self.rollout = rollout
        self.graphs = graphs
        self.settings = settings
    }

    package func graph(of revision: Revision) -> RevisionGraph? {
        self.graphs.first { $0.revision == revision }
    }
}

/// What a person has taken out of the loop's hands.
package enum Suspension: Sendable, Hashable, Codable {
    case everything
    case resource(ResourceIdentity)
}

/// The last failure of one step, and when it may be tried again.
package struct StepFailure: Sendable, Hashable, Codable {
    /// How often in a row the step failed.
    package var attempts: Int
    package var code: String
    package var message: String
    package var disposition: MartletError.Disposition
    package var firstAt: Timestamp
    /// Backoff with jitter, drawn when the failure was recorded.
    package var retryAt: Timestamp

    package init(
        attempts: Int,
        code: String,
        message: String,
        disposition: MartletError.Disposition,
        firstAt: Timestamp,
        retryAt: Timestamp
    ) {
        self.attempts = attempts
        self.code = code
        self.message = message
        self.disposition = disposition
        self.firstAt = firstAt
        self.retryAt = retryAt
    }
}

/// Everything that was written down: what survives the process.
package struct Facts: Sendable, Hashable {
    package var variants: [VariantID: VariantFacts]
    package var holds: [Hold]
    package var suspensions: Set<Suspension>
    /// What probes measured, by instance: never probed twice.
    package var probes: [InstanceKey: ProbeReport]
    /// Instances that took the process down while they loaded.
    package var crashed: Set<InstanceKey>
    /// How many processes in a row were ended from outside while they loaded an instance.
    package var cutShort: [InstanceKey: Int]
    /// The commit in force, by source.
    package var applied: [String: AppliedCommit]
    /// What people have confirmed to be removed, by the commit that they confirmed.
    package var confirmations: [ObjectID: PruneConfirmation]

    package init(
        variants: [VariantID: VariantFacts] = [:],
        holds: [Hold] = [],
        suspensions: Set<Suspension> = [],
        probes: [InstanceKey: ProbeReport] = [:],
        crashed: Set<InstanceKey> = [],
        cutShort: [InstanceKey: Int] = [:],
        applied: [String: AppliedCommit] = [:],
        confirmations: [ObjectID: PruneConfirmation] = [:]
    ) {
        self.variants = variants
        self.holds = holds
        self.suspensions = suspensions
        self.probes = probes
        self.crashed = crashed
        self.cutShort = cutShort
        self.applied = applied
        self.confirmations = confirmations
    }
}
