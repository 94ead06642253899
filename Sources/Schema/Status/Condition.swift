/// Whether what runs is what git says.
package enum SyncStatus: String, Sendable, Hashable, Codable {
    case synced = "Synced"
    case outOfSync = "OutOfSync"
    case unknown = "Unknown"
}

/// How a resource is doing.
package enum HealthStatus: String, Sendable, Hashable, Codable {
    case healthy = "Healthy"
    case progressing = "Progressing"
    case degraded = "Degraded"
    case suspended = "Suspended"
    case missing = "Missing"
    case unknown = "Unknown"
}

/// One condition of a resource, as Kubernetes users know them.
package struct Condition: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case ready = "Ready"
        /// Present only while true.
        case reconciling = "Reconciling"
        /// Present only while true.
        case stalled = "Stalled"
        /// Present only while true; the message names the resource that blocks.
        case blocked = "Blocked"
        /// Of a source: whether the last read of it worked.
        case sourceReady = "SourceReady"
        /// Of the controller: whether the last write of what it decided worked.
        case stateWritable = "StateWritable"
    }

    package enum Status: String, Sendable, Hashable, Codable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    package var type: Kind
    package var status: Status
    /// One UpperCamelCase word.
    package var reason: String
    package var message: String
    /// Seconds since 1970; moves only when ``status`` changes.
    package var lastTransitionTime: Double
    package var observedRevision: String?

    package init(
        type: Kind,
        status: Status,
        reason: String,
        message: String,
        lastTransitionTime: Double,
        observedRevision: String? = nil
    ) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastTransitionTime = lastTransitionTime
        self.observedRevision = observedRevision
    }
}
