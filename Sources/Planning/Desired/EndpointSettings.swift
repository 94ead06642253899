package import Schema

/// The part of an endpoint that is applied at once, never rolled out or back.
///
/// Immutable, so that plans, facts and the serving side share one.
package final class EndpointSettings: Sendable, Codable {
    package let replicas: EndpointSpec.Replicas
    package let queue: EndpointSpec.Queue
    package let batching: EndpointSpec.Batching?
    package let rollout: EndpointSpec.Rollout
    package let access: EndpointSpec.Access?
    package let limits: EndpointSpec.Limits
    /// Nil: as ``EndpointSpec/Log/standard`` says.
    package let log: EndpointSpec.Log?
    /// Shown as `settingsRevision`.
    package let revision: Revision

    package init(of spec: EndpointSpec, revision: Revision) {
        self.replicas = spec.replicas
        self.queue = spec.queue
        self.batching = spec.batching
        self.rollout = spec.rollout
        self.access = spec.access
        self.limits = spec.limits
        self.log = spec.log
        self.revision = revision
    }
}

extension EndpointSettings: Hashable {
    package static func == (lhs: EndpointSettings, rhs: EndpointSettings) -> Bool {
        lhs === rhs
            || lhs.revision == rhs.revision && lhs.replicas == rhs.replicas && lhs.queue == rhs.queue
                && lhs.batching == rhs.batching && lhs.rollout == rhs.rollout && lhs.access == rhs.access
                && lhs.limits == rhs.limits && lhs.log == rhs.log
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.revision)
    }
}
