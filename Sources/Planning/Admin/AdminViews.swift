package import Schema

/// A resource in a list, as `martlet get` and the admin API show it.
package struct ResourceView: Sendable, Hashable, Codable {
    package var kind: Kind
    package var namespace: String
    package var name: String
    package var labels: [String: String]
    package var digest: Digest?
    /// `path:line:column` in the commit.
    package var location: String?
    package var sync: SyncStatus
    package var health: HealthStatus
    package var conditions: [Condition]
    /// Of an endpoint: its variants, the default one first.
    package var variants: [VariantView]
    package var settingsRevision: Revision?
    /// Of a model that some endpoint uses: what is in memory for it.
    package var instance: InstanceView?
    package var suspended: Bool
    /// The spec as the commit says it, with defaults left out; absent in lists.
    package var spec: JSONValue?

    package init(
        identity: ResourceIdentity,
        labels: [String: String] = [:],
        digest: Digest? = nil,
        location: String? = nil,
        sync: SyncStatus,
        health: HealthStatus,
        conditions: [Condition] = [],
        variants: [VariantView] = [],
        settingsRevision: Revision? = nil,
        instance: InstanceView? = nil,
        suspended: Bool = false,
        spec: JSONValue? = nil
    ) {
        self.kind = identity.kind
        self.namespace = identity.namespace
        self.name = identity.name
        self.labels = labels
        self.digest = digest
        self.location = location
        self.sync = sync
        self.health = health
        self.conditions = conditions
        self.variants = variants
        self.settingsRevision = settingsRevision
        self.instance = instance
        self.suspended = suspended
        self.spec = spec
    }

    package var identity: ResourceIdentity {
        ResourceIdentity(self.kind, namespace: self.namespace, name: self.name)
    }
}

/// The four revisions of one variant, and what stands in their way.
package struct VariantView: Sendable, Hashable, Codable {
    package var variant: VariantID
    package var desired: Revision?
    package var attempted: Revision?
    package var serving: [TrafficShare]
    package var promoted: Revision?
    /// Promoted before, newest first: what `rollback --to` can go back to.
    package var earlier: [Revision]
    package var rollout: Rollout?
    package var hold: Hold?
    /// Replicas that take requests now.
    package var replicas: Int
    /// Replicas that there are to be.
    package var wantedReplicas: Int
    package var inFlight: Int

    package init(
        variant: VariantID,
        desired: Revision?,
        attempted: Revision?,
        serving: [TrafficShare],
        promoted: Revision?,
        earlier: [Revision],
        rollout: Rollout?,
        hold: Hold?,
        replicas: Int,
        wantedReplicas: Int? = nil,
        inFlight: Int
    ) {
        self.variant = variant
        self.desired = desired
        self.attempted = attempted
        self.serving = serving
        self.promoted = promoted
        self.earlier = earlier
        self.rollout = rollout
        self.hold = hold
        self.replicas = replicas
        self.wantedReplicas = wantedReplicas ?? replicas
        self.inFlight = inFlight
    }
}

/// What is in memory for a model that some endpoint uses.
package struct InstanceView: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        case loading
        case ready
        /// Dead, hung past its deadline, or failing.
        case failed
        /// Not loaded yet, though a request waits for it.
        case demanded
        /// It was in memory, and others needed its room more; a request brings it back.
        case evicted
        /// It is not in memory: nobody has needed it so far, or nobody needs it any more.
        case unloaded
    }

    package var key: InstanceKey
    package var state: State
    package var message: String
    package var memoryBytes: Int64
    package var copies: Int
    /// When a request used it last; absent when none is remembered.
    package var lastUsed: Timestamp?

    package init(key: InstanceKey, _ use: InstanceUse) {
        self.key = key
        self.state =
            switch use.observation?.state {
            case .loading: .loading
            case .ready: .ready
            case .failed: .failed
            case .demanded: .demanded
            case nil: use.wasLoaded ? .evicted : .unloaded
            }
        self.message = use.observation?.message ?? ""
        self.memoryBytes = use.observation?.memoryBytes ?? 0
        self.copies = use.observation?.copies ?? 0
        self.lastUsed = use.lastUsed
    }
}

/// Where the manifests come from.
package struct SourceView: Sendable, Hashable, Codable {
    /// What people call it, among several.
    package var name: String?
    package var location: String
    package var ref: String
    package var path: String
    /// The commit in force.
    package var commit: CommitSummary?
    package var condition: Condition
    /// When new commits are applied.
    package var policy: SyncPolicy
    /// The newest commit, where it is not in force.
    package var waiting: WaitingCommit?
    /// When a remote repository was last asked with success; nil for one that is read where it is.
    package var fetchedAt: Timestamp?

    package init(
        name: String? = nil,
        location: String,
        ref: String,
        path: String,
        commit: CommitSummary?,
        condition: Condition,
        policy: SyncPolicy = SyncPolicy(),
        waiting: WaitingCommit? = nil,
        fetchedAt: Timestamp? = nil
    ) {
        self.name = name
        self.location = location
        self.ref = ref
        self.path = path
        self.commit = commit
        self.condition = condition
        self.policy = policy
        self.waiting = waiting
        self.fetchedAt = fetchedAt
    }
}

/// The whole controller at a glance: `martlet status`.
package struct StatusView: Sendable, Hashable, Codable {
    package var version: String
    package var source: SourceView
    /// Each of several sources, sorted by name; empty where there is one.
    package var sources: [SourceView]
    package var sync: SyncStatus
    package var health: HealthStatus
    /// Of the controller itself.
    package var conditions: [Condition]
    /// Everything is suspended.
    package var suspended: Bool
    /// Sorted by identity; where there are more than ``listLimit``, those first that are not as they should be.
    package var endpoints: [ResourceView]
    /// How many endpoints are not listed.
    package var moreEndpoints: Int
    /// At most ``listLimit``.
    package var diagnostics: [Diagnostic]
    package var moreDiagnostics: Int
    package var holds: [Hold]
    /// At most ``listLimit``.
    package var waits: [PlanWait]
    package var moreWaits: Int
    /// Removals that a person has to confirm first.
    package var guarded: [PruneStop]
    /// Steps that the last plan still had.
    package var pendingSteps: Int
    package var memoryBytes: Int64
    package var memoryBudget: Int64?
    /// Calls into engines that hung and were left behind since the start.
    package var abandonedCalls: Int

    /// How much of each list a glance has room for; other calls have the rest.
    package static let listLimit = 100

    /// - Parameters:
    ///   - diagnostics: All of them.
    ///   - waits: All of them.
    package init(
        version: String,
        source: SourceView,
        sources: [SourceView] = [],
        sync: SyncStatus,
        health: HealthStatus,
        conditions: [Condition] = [],
        suspended: Bool,
        endpoints: [ResourceView],
        moreEndpoints: Int = 0,
        diagnostics: [Diagnostic],
        holds: [Hold],
        waits: [PlanWait],
        guarded: [PruneStop] = [],
        pendingSteps: Int,
        memoryBytes: Int64,
        memoryBudget: Int64?,
        abandonedCalls: Int
    ) {
        self.version = version
        self.source = source
        self.sources = sources
        self.sync = sync
        self.health = health
        self.conditions = conditions
        self.suspended = suspended
        self.endpoints = endpoints
        self.moreEndpoints = moreEndpoints
        self.diagnostics = Array(diagnostics.prefix(StatusView.listLimit))
        self.moreDiagnostics = diagnostics.count - self.diagnostics.count
        self.holds = holds
        self.waits = Array(waits.prefix(StatusView.listLimit))
        self.moreWaits = waits.count - self.waits.count
        self.guarded = guarded
        self.pendingSteps = pendingSteps
        self.memoryBytes = memoryBytes
        self.memoryBudget = memoryBudget
        self.abandonedCalls = abandonedCalls
    }
}

/// What was promoted when, and which commits were read: `martlet history`.
package struct HistoryView: Sendable, Hashable, Codable {
    package var promotions: [PromotionRecord]
    package var commits: [CommitRecord]

    package init(promotions: [PromotionRecord], commits: [CommitRecord]) {
        self.promotions = promotions
        self.commits = commits
    }
}
