package import Schema

/// The running side, as the controller acts on it. Every call is idempotent: done twice equals done once.
///
/// The runtime holds no policy. It keeps the routing snapshot, which only ``setTraffic(_:for:)``,
/// ``apply(_:to:)`` and ``remove(endpoint:)`` change.
package protocol ServingRuntime: Sendable {
    /// What runs now.
    func observe() async -> RuntimeObservation

    /// What has changed since the call before; everything at first. For one caller, the controller.
    func observeChanges() async -> RuntimeChanges

    /// How many requests are under way on each runner now, which is no change that anything follows from; runners
    /// without any are not named.
    func requestsUnderWay() async -> [RunnerKey: Int]

    /// How many requests the given variants have had at once since the call before, on replicas and waiting for one. For
    /// one caller, the controller; only whom it asks for is measured.
    func demand(of variants: Set<VariantID>) async -> [VariantID: RequestDemand]

    /// What is in memory of these instances now, at the cost of looking at each of them; others are not named. Lazy ones
    /// come and go without being a change.
    func uses(of instances: Set<InstanceKey>) async -> [InstanceKey: InstanceUse]

    /// Brings an instance to exactly its spec's copies, from verified files; a failed one is replaced. Cancelling
    /// abandons the load: should the engine's call hang, it is counted and left behind. Throws the engine's own error,
    /// `LoadAbandoned`, and others.
    func load(_ instance: InstanceSpec, opening: ModelOpening) async throws

    /// Gives an instance back. Nothing happens while a runner leases it.
    func unload(_ instance: InstanceKey) async

    /// Tells the requests that wait for a lazy instance's first load why there is none; later ones are told the same,
    /// until it is loaded after all.
    func refuse(_ instance: InstanceKey, because error: MartletError) async

    /// Starts a revision's replicas on loaded instances and on lazy ones; they take no traffic. Without warm-up requests to answer first
    /// the runner is ready at once. A runner that failed is replaced; one that drains or has drained is taken back, and
    /// is `started` again. Throws `InstanceMissing`.
    func start(_ graph: RevisionGraph, replicas: Int) async throws

    /// Sends each model's warm-up requests through and opens what chains look things up in, which may have to be built
    /// first; afterwards the runner is ready. Throws `WarmUpFailed`, and what ``LookupStore`` throws.
    func warmUp(_ runner: RunnerKey) async throws

    /// Sends a variant's new requests to revisions by weight, from the next request on.
    func setTraffic(_ shares: [TrafficShare], for variant: VariantID) async

    /// Puts an endpoint's settings in force at once.
    func apply(_ settings: EndpointSettings, to endpoint: ResourceIdentity) async

    /// Sets how many replicas take requests; one that is taken away finishes what it has. Without any, requests wait for
    /// a first one, and nothing is leased. Throws `InstanceMissing`, `RunnerMissing`.
    func scale(_ runner: RunnerKey, replicas: Int) async throws

    /// Returns when nothing is under way on the runner, or when the time is up and what was left got an error.
    func drain(_ runner: RunnerKey, timeout: ManifestDuration) async

    /// Ends a runner and its leases.
    func stop(_ runner: RunnerKey) async

    /// Takes an endpoint, with its settings and traffic, out of the routing snapshot.
    func remove(endpoint: ResourceIdentity) async

    /// Names the commit that answers are stamped with.
    func setCommit(_ commit: ObjectID) async

    /// Yields when something changed by itself: an instance died, hung, a drained runner became idle, or a request waits
    /// for a first replica.
    func changes() -> AsyncStream<Void>
}

extension ServingRuntime {
    /// For a runtime that no requests reach.
    package func refuse(_ instance: InstanceKey, because error: MartletError) async {}

    package func requestsUnderWay() async -> [RunnerKey: Int] {
        await self.observe().runners.mapValues(\.inFlight).filter { $0.value > 0 }
    }

    /// For a runtime that evicts nothing.
    package func uses(of instances: Set<InstanceKey>) async -> [InstanceKey: InstanceUse] {
        let observed = await self.observe().instances.filter { instances.contains($0.key) }
        return observed.mapValues { InstanceUse(observation: $0, wasLoaded: true) }
    }

    /// As many as there are at this moment.
    package func demand(of variants: Set<VariantID>) async -> [VariantID: RequestDemand] {
        let underWay = Dictionary(grouping: await self.observe().runners) { $0.key.variant }
        return underWay.filter { variants.contains($0.key) }.mapValues { runners in
            RequestDemand(steadily: runners.reduce(0) { $0 + $1.value.inFlight + $1.value.waiting })
        }
    }

    /// Looks at everything each time.
    package func observeChanges() async -> RuntimeChanges {
        RuntimeChanges(everything: await self.observe())
    }
}

/// Turns artifacts into verified files on this machine.
package protocol ArtifactStore: Sendable {
    /// The absolute path of a file with the artifact's bytes. Throws `ArtifactMissing`, `DigestMismatch`, `BlobTooLarge`.
    func materialise(_ artifact: Artifact) async throws -> String

    /// Removes cached files that no named artifact needs.
    func prune(keeping artifacts: [Artifact]) async
}
