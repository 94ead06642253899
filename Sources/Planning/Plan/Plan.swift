package import Schema

/// One small, idempotent thing to do.
package enum StepAction: Sendable, Hashable, Codable {
    /// Opens the model in a child process first, and measures it.
    case probe(InstanceSpec)
    case load(InstanceSpec)
    /// Writes down that a rollout has begun, with the graph that it tries.
    case beginRollout(RevisionGraph, Rollout)
    /// Starts a revision's replicas; they take no traffic yet.
    case start(RevisionGraph, replicas: Int)
    case warmUp(RunnerKey)
    case setTraffic(VariantID, [TrafficShare])
    /// Writes down that a revision is the one that answers when all is well.
    case promote(RunnerKey)
    /// Writes down how far a rollout has come.
    case advanceRollout(VariantID, Rollout)
    case hold(Hold)
    /// Lifts a hold whose revision is no longer desired.
    case liftHold(VariantID, Revision)
    case applySettings(ResourceIdentity, EndpointSettings)
    case scale(RunnerKey, replicas: Int)
    /// No new requests; those under way finish, up to the drain time-out.
    case drain(RunnerKey, timeout: ManifestDuration)
    case stop(RunnerKey)
    case unload(InstanceKey)
    /// Takes an endpoint out of the routing snapshot.
    case removeEndpoint(ResourceIdentity)
    /// Forgets what was written down about a variant that left the repository.
    case forget(VariantID)
}

/// Names a step across plans: the same thing to do has the same key.
package struct StepKey: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }

    package static func < (lhs: StepKey, rhs: StepKey) -> Bool { lhs.description < rhs.description }
}

/// The resource and field that a step goes back to.
package struct PlanCause: Sendable, Hashable, Codable {
    package var resource: ResourceIdentity
    /// `spec.messages[0].content`; nil where the whole resource is the cause.
    package var field: String?

    package init(resource: ResourceIdentity, field: String? = nil) {
        self.resource = resource
        self.field = field
    }
}

/// A step of a plan.
package struct PlanStep: Sendable, Hashable, Codable {
    package var action: StepAction
    /// Why, in words.
    package var reason: String
    package var cause: PlanCause
    /// Indices, in the same plan, of the steps that come first.
    package var after: [Int]

    package init(action: StepAction, reason: String, cause: PlanCause, after: [Int] = []) {
        self.action = action
        self.reason = reason
        self.cause = cause
        self.after = after
    }
}

/// Something that a plan waits for.
package struct PlanWait: Sendable, Hashable, Codable {
    package var subject: ResourceIdentity
    /// What for, in words.
    package var reason: String
    /// When to look again; nil: when something changes.
    package var until: Timestamp?
    /// One UpperCamelCase word for programs, the same as in conditions: `BackingOff`, `InsufficientMemory`, `Held`.
    package var word: String
    /// The failed step that waits to be tried again: its failure must not be forgotten while this stands.
    package var step: StepKey?

    package init(
        subject: ResourceIdentity,
        reason: String,
        until: Timestamp?,
        word: String = "Waiting",
        step: StepKey? = nil
    ) {
        self.subject = subject
        self.reason = reason
        self.until = until
        self.word = word
        self.step = step
    }
}

/// What has to be done, in order, and what is waited for. No steps: converged.
package struct Plan: Sendable, Hashable, Codable {
    package var commit: ObjectID
    package var steps: [PlanStep]
    package var waits: [PlanWait]
    /// Removals that are left out, since a person has to confirm them first.
    package var guarded: [PruneStop]
    /// Of commits that are not in force yet; the planner makes none.
    package var proposed: [ProposedPlan]
    /// Why newer commits are not planned for, in words: they are refused, or a source cannot be read. The planner finds
    /// none.
    package var obstacles: [String]

    package init(
        commit: ObjectID,
        steps: [PlanStep] = [],
        waits: [PlanWait] = [],
        guarded: [PruneStop] = [],
        proposed: [ProposedPlan] = [],
        obstacles: [String] = []
    ) {
        self.commit = commit
        self.steps = steps
        self.waits = waits
        self.guarded = guarded
        self.proposed = proposed
        self.obstacles = obstacles
    }
}
