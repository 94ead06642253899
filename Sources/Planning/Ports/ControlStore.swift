package import Schema

/// One thing that happened, as people and programs read it.
package struct Event: Sendable, Hashable, Codable {
    package enum Severity: String, Sendable, Hashable, Codable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// Counts up without gaps; 0 before it is stored.
    package var sequence: Int64
    package var at: Timestamp
    package var severity: Severity
    package var resource: ResourceIdentity?
    package var variant: VariantID?
    package var revision: Revision?
    package var commit: ObjectID?
    /// One UpperCamelCase word: `RolloutBegan`, `Promoted`, `Held`, `ManifestInvalid`.
    package var reason: String
    package var message: String

    package init(
        sequence: Int64 = 0,
        at: Timestamp,
        severity: Severity = .normal,
        resource: ResourceIdentity? = nil,
        variant: VariantID? = nil,
        revision: Revision? = nil,
        commit: ObjectID? = nil,
        reason: String,
        message: String
    ) {
        self.sequence = sequence
        self.at = at
        self.severity = severity
        self.resource = resource
        self.variant = variant
        self.revision = revision
        self.commit = commit
        self.reason = reason
        self.message = message
    }
}

/// One line of the audit log: who did what, why and from where.
package struct AuditEntry: Sendable, Hashable, Codable {
    /// Counts up without gaps from 1; 0 before it is stored.
    package var sequence: Int64
    package var at: Timestamp
    package var actor: Actor
    /// `rollback`, `suspend`, `hold`, `promote`, …
    package var action: String
    package var subject: String
    package var reason: String
    /// `cli`, `controller`, or an address.
    package var origin: String
    package var commit: ObjectID?
    /// Whose signature of the commit was verified; nil where nobody asked for one.
    package var signer: String?
    /// Over the previous entry's digest and this entry's fields; nil before it is stored.
    package var digest: Digest?

    package init(
        sequence: Int64 = 0,
        at: Timestamp,
        actor: Actor,
        action: String,
        subject: String,
        reason: String,
        origin: String,
        commit: ObjectID? = nil,
        signer: String? = nil,
        digest: Digest? = nil
    ) {
        self.sequence = sequence
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.reason = reason
        self.origin = origin
        self.commit = commit
        self.signer = signer
        self.digest = digest
    }
}

/// What the audit log's check found.
package struct AuditVerification: Sendable, Hashable, Codable {
    package var entries: Int64
    /// The sequence number of the first entry that does not fit; nil when the chain is whole.
    package var brokenAt: Int64?
    package var message: String

    package init(entries: Int64, brokenAt: Int64?, message: String) {
        self.entries = entries
        self.brokenAt = brokenAt
        self.message = message
    }
}

/// A commit that was read, and what came of it.
package struct CommitRecord: Sendable, Hashable, Codable {
    package var commit: CommitSummary
    package var readAt: Timestamp
    package var errors: Int
    /// When everything that could be applied was; nil until then.
    package var convergedAt: Timestamp?

    package init(commit: CommitSummary, readAt: Timestamp, errors: Int, convergedAt: Timestamp? = nil) {
        self.commit = commit
        self.readAt = readAt
        self.errors = errors
        self.convergedAt = convergedAt
    }
}

/// One revision's time as the promoted one.
package struct PromotionRecord: Sendable, Hashable, Codable {
    package var variant: VariantID
    package var revision: Revision
    package var commit: ObjectID
    /// The source that the commit belongs to; nil where there was one source only.
    package var source: String?
    package var at: Timestamp
    package var actor: Actor
    package var reason: String

    package init(
        variant: VariantID,
        revision: Revision,
        commit: ObjectID,
        source: String? = nil,
        at: Timestamp,
        actor: Actor,
        reason: String
    ) {
        self.variant = variant
        self.revision = revision
        self.commit = commit
        self.source = source
        self.at = at
        self.actor = actor
        self.reason = reason
    }
}

/// One change of the written facts.
package enum FactChange: Sendable, Hashable {
    case variant(VariantID, VariantFacts)
    case forgetVariant(VariantID)
    case hold(Hold)
    case liftHold(VariantID, Revision)
    case suspend(Suspension)
    case resume(Suspension)
    case probe(InstanceKey, ProbeReport)
    /// No revision names the instance any more.
    case forgetProbe(InstanceKey)
    /// Written before an instance is loaded in process, taken away after: left behind only by a crash.
    case beginLoading(InstanceKey)
    case endLoading(InstanceKey)
    /// So many processes in a row were ended from outside while they loaded the instance; ends with a load that ends.
    case loadCutShort(InstanceKey, starts: Int)
    /// The instance took the process down while it loaded.
    case crashed(InstanceKey)
    /// A person asks to try the instance again.
    case forgiveCrash(InstanceKey)
    /// A commit of a source is in force; replaces the one before.
    case applied(AppliedCommit)
    /// A person lets a commit remove what the guard stopped, or there is less left of that; replaces the one before.
    case confirmPrune(PruneConfirmation)
    /// Nothing is left of what was confirmed for a commit.
    case endConfirmation(ObjectID)
    case commit(CommitRecord)
    case promotion(PromotionRecord)
    /// Replaces the conditions of a resource; empty removes them.
    case conditions(ResourceIdentity, [Condition])
    case event(Event)
    case audit(AuditEntry)
}

/// A range of events to read.
package struct EventQuery: Sendable, Hashable, Codable {
    /// Only events with a larger sequence number.
    package var after: Int64?
    package var resource: ResourceIdentity?
    /// The newest this many, given in ascending order.
    package var limit: Int

    package init(after: Int64? = nil, resource: ResourceIdentity? = nil, limit: Int = 100) {
        self.after = after
        self.resource = resource
        self.limit = limit
    }
}

/// `control.db`: the facts, durable for a killed process and for lost power.
package protocol ControlStore: Sendable {
    /// Everything that was written down.
    func facts() throws -> Facts

    /// Instances whose loading began and did not end: the process died with them.
    func unfinishedLoads() throws -> [InstanceKey]

    /// The conditions of every resource, by identity.
    func conditions() throws -> [ResourceIdentity: [Condition]]

    /// Writes all changes in one transaction, in order, and returns the stored events with their numbers.
    @discardableResult
    func write(_ changes: [FactChange]) throws -> [Event]

    func events(_ query: EventQuery) throws -> [Event]

    /// Newest first.
    func commits(limit: Int) throws -> [CommitRecord]

    /// Newest first; of one variant, or of all.
    func promotions(of variant: VariantID?, limit: Int) throws -> [PromotionRecord]

    /// Newest first.
    func audit(limit: Int) throws -> [AuditEntry]

    /// Recomputes the audit log's chain.
    func verifyAudit() throws -> AuditVerification
}
