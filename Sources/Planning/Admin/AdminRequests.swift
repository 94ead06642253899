package import Schema

/// Body of `POST /api/v1/sync`; the answer is the ``CommitSummary`` that is in force afterwards.
package struct SyncBody: Sendable, Hashable, Codable {
    /// The source whose remote is asked first; nil: that of every source.
    package var source: String?
    /// The commit to apply, by its first digits, or a ref; nil means the newest.
    package var revision: String?
    /// Why, for the audit log; may be empty.
    package var reason: String

    package init(source: String? = nil, revision: String? = nil, reason: String = "") {
        self.source = source
        self.revision = revision
        self.reason = reason
    }
}

/// Body of `POST /api/v1/confirm`; the answer is the ``PruneConfirmation`` that it made.
package struct ConfirmBody: Sendable, Hashable, Codable {
    /// The commit whose removals wait, by its first digits, at least 4.
    package var commit: String
    /// Why, for the audit log; may be empty.
    package var reason: String

    package init(commit: String, reason: String = "") {
        self.commit = commit
        self.reason = reason
    }
}

/// Body of `POST /api/v1/suspend` and `POST /api/v1/resume`; the answer is an empty 204.
package struct SuspendBody: Sendable, Hashable, Codable {
    /// What to suspend or resume; nil means everything.
    package var resource: ResourceIdentity?
    /// Why, for the audit log; may be empty.
    package var reason: String

    package init(resource: ResourceIdentity?, reason: String = "") {
        self.resource = resource
        self.reason = reason
    }

    /// The same, as facts are written down.
    package var suspension: Suspension {
        self.resource.map { Suspension.resource($0) } ?? .everything
    }
}

/// Body of `POST /api/v1/rollback`; the answer is the ``Hold`` that it made.
package struct RollbackBody: Sendable, Hashable, Codable {
    package var variant: VariantID
    /// The first digits of the revision to go back to; nil means the one promoted before.
    package var to: String?
    /// Why, for the audit log and the hold; must not be empty.
    package var reason: String

    package init(variant: VariantID, to: String? = nil, reason: String) {
        self.variant = variant
        self.to = to
        self.reason = reason
    }
}

/// Body of `POST /api/v1/retry` and `POST /api/v1/release`; the answer is an empty 204.
package struct VariantBody: Sendable, Hashable, Codable {
    package var variant: VariantID
    /// Why, for the audit log; may be empty.
    package var reason: String

    package init(variant: VariantID, reason: String = "") {
        self.variant = variant
        self.reason = reason
    }
}
