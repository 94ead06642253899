package import Schema

/// Body of `POST /api/v1/sync`; the answer is the ``CommitSummary`` that the source is at.
package struct SyncBody: Sendable, Hashable, Codable {
    /// Why, for the audit log; may be empty.
    package var reason: String

    package init(reason: String = "") {
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
