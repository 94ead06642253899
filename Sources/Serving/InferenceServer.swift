package import Logging
package import Planning
internal import Schema
internal import Synchronization

/// The serving side of the process: instances, runners and the routing snapshot. It holds no policy: the controller
/// acts on it through ``ServingRuntime``, callers reach it through ``EndpointService``.
///
/// ``run()`` is the parent of every answer.
package final class InferenceServer: Sendable {
    struct State {
        var runners: [RunnerKey: Runner] = [:]
        var endpoints: [ResourceIdentity: EndpointState] = [:]
        var routes = RoutingSnapshot()
        /// What has changed since the controller looked; nil: everything has.
        var unseen: Unseen?
        /// Warm-up requests that instances have answered for a runner.
        var warmUps: [InstanceKey: Set<[ModelSpec.WarmUp]>] = [:]
    }

    /// What is in force for one endpoint.
    struct EndpointState {
        /// Nil before they are applied, however much runs.
        var settings: EndpointSettings?
        var variants: [VariantID: VariantState] = [:]
    }

    /// Where a variant's requests go.
    struct VariantState {
        var shares: [TrafficShare] = []
        /// When each revision with traffic began to serve.
        var since: [Revision: Timestamp] = [:]
    }

    /// Names what the controller has to look at.
    struct Unseen {
        var runners: Set<RunnerKey> = []
        var variants: Set<VariantID> = []
        var endpoints: Set<ResourceIdentity> = []
    }

    let engines: any EngineCatalog
    let pool: InstancePool
    let clock: any Clock<Duration>
    let wallClock: any WallClock
    let logger: Logger
    let unreadLimit: Int
    let records: (any RecordSink)?
    let http: (any HTTPCaller)?
    let programs: (any ProgramCaller)?
    let lookups: (any LookupStore)?
    let answers = TaskNursery()
    let changeFeed = ChangeFeed()
    let collector = MetricsCollector()
    private let state = Mutex(State())

    /// - Parameters:
    ///   - engines: where instances find the engines that their manifests name.
    ///   - clock: measures time-outs and latencies.
    ///   - wallClock: dates when a revision began to serve.
    ///   - memoryBudget: what all instances may take together, in bytes; nil: as much as there is.
    ///   - pool: owns the instances; one of its own by default.
    ///   - lookups: opens what chains look things up in; nil: revisions that do so cannot be warmed up.
    ///   - unreadLimit: how many bytes of one answer may lie unread, beside its largest piece, before it is ended: a
    ///     caller that has stopped reading costs no more memory than that.
    ///   - records: gets a record of every request; nil: nothing is written down.
    ///   - http: asks servers elsewhere for chains; nil: such steps fail.
    ///   - programs: runs the programs of chains; nil: such steps fail.
    package init(
        engines: any EngineCatalog,
        clock: any Clock<Duration> = ContinuousClock(),
        wallClock: any WallClock,
        logger: Logger = Logger(label: "martlet.serving"),
        memoryBudget: Int64? = nil,
        pool: InstancePool? = nil,
        lookups: (any LookupStore)? = nil,
        unreadLimit: Int = 1 << 20,
        records: (any RecordSink)? = nil,
        http: (any HTTPCaller)? = nil,
        programs: (any ProgramCaller)? = nil
    ) {
        self.engines = engines
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
        self.lookups = lookups
        self.unreadLimit = unreadLimit
        self.records = records
        self.http = http
        self.programs = programs
        self.pool = pool ?? InstancePool(memoryBudget: memoryBudget, clock: clock, wallClock: wallClock)
    }

    /// Serves until the task is cancelled; then ends every answer, and gives all instances back.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.pool.watch() }
            group.addTask { await self.pool.runTasks() }
            group.addTask {
                for await _ in self.pool.changes() { self.changeFeed.notify() }
            }
            await self.answers.run()
            group.cancelAll()
        }
        await self.pool.shutdown()
    }

    /// What was served so far, and what is going on now.
    package var metrics: ServingMetrics {
        let runners = self.state.withLock { $0.runners }
        var metrics = ServingMetrics()
        metrics.subjects = self.collector.collected
        for (key, runner) in runners {
            let observation = runner.observation
            metrics.inFlight[key] = observation.inFlight
            metrics.replicas[key] = observation.replicas
            metrics.queued[key] = runner.queued
        }
        metrics.abandonedCalls = self.pool.abandonedCalls
        metrics.hangingCalls = self.pool.hangingCalls
        metrics.instances = self.pool.observe(withLazy: false)
        metrics.pool = self.pool.figures
        metrics.upstreams = self.pool.observeUpstreams()
        return metrics
    }

    /// The routing snapshot in force.
    var routes: RoutingSnapshot { self.state.withLock { $0.routes } }

    func withState<Result>(_ body: (inout sending State) throws -> sending Result) rethrows -> Result {
        try self.state.withLock { try body(&$0) }
    }
}

extension InferenceServer.State {
    /// Publishes an endpoint anew from settings, traffic and runners.
    mutating func publish(_ endpoint: ResourceIdentity) {
        let name = EndpointName(namespace: endpoint.namespace, name: endpoint.name)
        self.routes.version += 1
        guard let state = self.endpoints[endpoint], let settings = state.settings else {
            self.routes[name] = nil
            return
        }
        var variants: [String?: [RoutingSnapshot.Share]] = [:]
        for (variant, serving) in state.variants {
            variants[variant.tenant] = serving.shares.compactMap { share in
                let runner = self.runners[RunnerKey(variant, share.revision)]
                guard share.weight > 0, let runner, let since = serving.since[share.revision] else { return nil }
                return RoutingSnapshot.Share(weight: share.weight, runner: runner, since: since)
            }
        }
        self.routes[name] = RoutingSnapshot.Endpoint(settings: settings, variants: variants)
    }
}
