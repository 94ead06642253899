import Planning
import Schema
import Synchronization

/// A runtime that does at once what it is told, and fails or hangs where a test wants it to.
final class FakeRuntime: ServingRuntime {
    typealias Interlude = @Sendable () async throws -> Void

    struct State {
        var observation = RuntimeObservation()
        var commit: ObjectID?
        /// Every call, in order: `load models/a.jsonl`.
        var calls: [String] = []
        /// Thrown, one after the other, by loads of the model with this path.
        var loadErrors: [String: [MartletError]] = [:]
        /// Loads of these paths never return unless they are cancelled.
        var hangingLoads: Set<String> = []
        /// Done once, when the next revision starts.
        var whenStarting: Interlude?
        /// Done once, before the next drain takes effect.
        var whenDraining: Interlude?
        /// Drains of runners that had traffic.
        var drainsWithTraffic = 0
        /// Done once, when the next settings are applied.
        var whenApplying: Interlude?
        /// Thrown, one after the other, by starts of revisions.
        var startErrors: [MartletError] = []
        /// What those were told who waited for lazy instances.
        var refusals: [InstanceKey: [String]] = [:]
        /// What requests have done to instances, beside what is observed.
        var uses: [InstanceKey: InstanceUse] = [:]
        /// The instances that somebody asked for at once, each time.
        var askedUses: [Set<InstanceKey>] = []
    }

    private let state = Mutex(State())
    private let changeStream = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    private let hung = AsyncStream<String>.makeStream()

    /// Changes what the runtime is or does, and wakes whoever follows it.
    func change(_ body: (inout State) -> Void) {
        self.state.withLock { body(&$0) }
        self.changeStream.continuation.yield()
    }

    /// Changes what is seen, and tells nobody.
    func changeUnnoticed(_ body: (inout RuntimeObservation) -> Void) {
        self.state.withLock { body(&$0.observation) }
    }

    /// Makes every instance look dead.
    func killInstances() {
        self.change { state in
            for key in state.observation.instances.keys {
                state.observation.instances[key] = InstanceObservation(state: .failed, message: "it hung")
            }
        }
    }

    /// Makes every instance's servers elsewhere look as if these cooled down.
    func coolDown(_ upstreams: [String: String]?) {
        self.change { state in
            for key in state.observation.instances.keys {
                state.observation.instances[key]?.coolingDown = upstreams
            }
        }
    }

    /// Returns when no instance is dead any more.
    func waitForInstance() async {
        while self.observation.instances.values.contains(where: { $0.state == .failed }) { await Task.yield() }
    }

    var drainsWithTraffic: Int { self.state.withLock { $0.drainsWithTraffic } }
    var refusals: [InstanceKey: [String]] { self.state.withLock { $0.refusals } }
    var askedUses: [Set<InstanceKey>] { self.state.withLock { $0.askedUses } }
    var calls: [String] { self.state.withLock { $0.calls } }
    var observation: RuntimeObservation { self.state.withLock { $0.observation } }

    /// Returns when a load hangs.
    func waitForHangingLoad() async {
        for await _ in self.hung.stream { return }
    }

    func observe() async -> RuntimeObservation { self.observation }

    func uses(of instances: Set<InstanceKey>) async -> [InstanceKey: InstanceUse] {
        self.state.withLock { state in
            state.askedUses.append(instances)
            return state.uses.filter { instances.contains($0.key) }
        }
    }

    func load(_ instance: InstanceSpec, opening: ModelOpening) async throws {
        let path = instance.origin
        let (error, hangs): (MartletError?, Bool) = self.state.withLock { state in
            state.calls.append("load \(path)")
            let error = state.loadErrors[path]?.isEmpty == false ? state.loadErrors[path]?.removeFirst() : nil
            return (error, state.hangingLoads.contains(path))
        }
        if let error { throw error }
        if hangs {
            self.hung.continuation.yield(path)
            for await _ in AsyncStream<Never>.makeStream().stream {}
            if Task.isCancelled { throw MartletError("LoadAbandoned", "cancelled", disposition: .retryable) }
        }
        self.state.withLock { state in
            state.observation.instances[instance.key] = InstanceObservation(
                state: .ready,
                memoryBytes: 1000,
                copies: instance.copies
            )
        }
    }

    func refuse(_ instance: InstanceKey, because error: MartletError) async {
        self.state.withLock { state in
            state.refusals[instance, default: []].append(error.message)
            state.observation.instances[instance] = InstanceObservation(state: .failed, message: error.message)
        }
    }

    func unload(_ instance: InstanceKey) async {
        self.act("unload") { $0.instances[instance] = nil }
    }

    func start(_ graph: RevisionGraph, replicas: Int) async throws {
        try await self.doOnce(\.whenStarting)
        let error = self.state.withLock { $0.startErrors.isEmpty ? nil : $0.startErrors.removeFirst() }
        if let error { throw error }
        self.act("start \(graph.variant)") {
            let runner = RunnerObservation(state: graph.hasWarmUps ? .started : .ready, replicas: replicas)
            $0.runners[RunnerKey(graph.variant, graph.revision)] = runner
        }
    }

    func warmUp(_ runner: RunnerKey) async throws {
        self.act("warmUp \(runner.variant)") { $0.runners[runner]?.state = .ready }
    }

    func setTraffic(_ shares: [TrafficShare], for variant: VariantID) async {
        self.act("setTraffic \(variant)") { $0.traffic[variant] = shares.isEmpty ? nil : shares }
    }

    func apply(_ settings: EndpointSettings, to endpoint: ResourceIdentity) async {
        try? await self.doOnce(\.whenApplying)
        self.act("apply \(endpoint)") { $0.settings[endpoint] = settings.revision }
    }

    func scale(_ runner: RunnerKey, replicas: Int) async throws {
        self.act("scale \(runner.variant)") { $0.runners[runner]?.replicas = replicas }
    }

    func drain(_ runner: RunnerKey, timeout: ManifestDuration) async {
        try? await self.doOnce(\.whenDraining)
        self.state.withLock { state in
            let shares = state.observation.traffic[runner.variant] ?? []
            if shares.contains(where: { $0.revision == runner.revision }) { state.drainsWithTraffic += 1 }
        }
        self.act("drain \(runner.variant)") { $0.runners[runner]?.state = .drained }
    }

    func stop(_ runner: RunnerKey) async {
        self.act("stop \(runner.variant)") { $0.runners[runner] = nil }
    }

    func remove(endpoint: ResourceIdentity) async {
        self.act("remove \(endpoint)") {
            $0.settings[endpoint] = nil
            $0.traffic[VariantID(namespace: endpoint.namespace, endpoint: endpoint.name)] = nil
        }
    }

    func setCommit(_ commit: ObjectID) async {
        self.state.withLock { $0.commit = commit }
    }

    func changes() -> AsyncStream<Void> { self.changeStream.stream }

    /// Does what a test wants done at this moment, the first time only.
    private func doOnce(_ interlude: any WritableKeyPath<State, Interlude?> & Sendable) async throws {
        let body = self.state.withLock { state in
            defer { state[keyPath: interlude] = nil }
            return state[keyPath: interlude]
        }
        try await body?()
    }

    private func act(_ call: String, _ body: (inout RuntimeObservation) -> Void) {
        self.state.withLock { state in
            state.calls.append(call)
            body(&state.observation)
        }
    }
}

/// Hands out paths without making files, and tells what was kept.
final class FakeArtifacts: ArtifactStore {
    private let pruned = AsyncStream<Set<String>>.makeStream()

    func materialise(_ artifact: Artifact) async throws -> String { "/cache/\(artifact.identity)" }

    func prune(keeping artifacts: [Artifact]) async {
        self.pruned.continuation.yield(Set(artifacts.map(\.identity)))
    }

    /// The identities that the next prune keeps, once it came.
    func nextPrune() async -> Set<String>? {
        for await kept in self.pruned.stream { return kept }
        return nil
    }
}

/// A probe that finds every model good, but for those that a test names by a part of the artifact's identity.
final class FakeProbe: ModelProbe {
    private let errors = Mutex<[MartletError]>([])
    private let count = Mutex(0)

    /// The next probes fail with these.
    func fail(with errors: [MartletError]) {
        self.errors.withLock { $0 += errors }
    }

    var probes: Int { self.count.withLock { $0 } }

    func probe(
        engine: String,
        opening: ModelOpening,
        warmUp: [CompletionRequest]
    ) async throws -> ProbeReport {
        self.count.withLock { $0 += 1 }
        let error = self.errors.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let error { throw error }
        return ProbeReport(
            description: ModelDescription(
                architecture: "test",
                weightBytes: 600,
                sessionBytes: 400,
                contextLength: 128,
                generates: true,
                vocabularySize: 10
            ),
            measuredBytes: 1000,
            seconds: 0.1
        )
    }
}

/// Says that `replay` can be used.
struct FakeEngines: EngineCatalog {
    func reports() -> [EngineReport] {
        [EngineReport(name: "replay", location: "built in", version: "1", problem: nil)]
    }

    func engine(named name: String) throws -> any InferenceEngine {
        throw MartletError("EngineNotInstalled", "no engine runs in these tests")
    }
}
