package import Planning
internal import Schema
internal import Synchronization

/// Owns every loaded model of this process, by its key: loads, leases, watches over and unloads it.
///
/// Eager instances come and go as the controller says. Lazy ones come when a request needs them and go, the least
/// recently used first, when others need their room: ``MemoryPool`` decides that.
package final class InstancePool: Sendable {
    /// One load that callers share.
    final class Flight: Sendable {
        let hasLanded = Latch()
        /// Since when an evicted instance is being brought back; nil for a load that the controller asked for.
        let swapIn: Stopwatch?
        let outcome = Mutex<Result<Void, MartletError>?>(nil)

        init(swapIn: Stopwatch? = nil) {
            self.swapIn = swapIn
        }

        /// Tells everyone how it ended; the first word counts.
        func land(_ outcome: Result<Void, MartletError>) {
            self.outcome.withLock { $0 = $0 ?? outcome }
            self.hasLanded.open()
        }
    }

    /// How an instance is opened: a verified file, and the engine that has opened it before.
    struct Source: Sendable {
        var opening: ModelOpening
        var engine: any InferenceEngine
    }

    /// What the pool knows of one key.
    struct Entry: Sendable {
        var spec: InstanceSpec
        var model: PooledModel?
        /// Whether the model was warmed up and takes requests.
        var isServing = false
        /// The load, or change of copies, that is under way.
        var flight: Flight?
        /// Why the last load failed.
        var failure: MartletError?
        var leases = 0
        /// Of these, the ones of revisions that want the instance loaded all the time.
        var eagerLeases = 0
        /// Whether it was loaded for such a revision, and none of them has let it go since.
        var isEager = false
        /// Requests that use it, or wait for it.
        var uses = 0
        var lastUsed: Timestamp?
        /// What the model said of itself when it was loaded last.
        var description: ModelDescription?
        /// What the engine measured when it was loaded last, in bytes.
        var measured: Int64 = 0
        /// How the pool brings it back; nil as long as the controller has not loaded it.
        var source: Source?
        /// The controller's load that requests wait for, before it has begun.
        var demand: Flight?
    }

    struct State: Sendable {
        var entries: [InstanceKey: Entry] = [:]
        var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher: UInt64 = 0
        var isClosed = false
        var memory: MemoryPool
        var figures = PoolFigures()
        /// Opened when there may be more room.
        var room: Latch?
    }

    let state: Mutex<State>
    /// Loads that outlive their requests, and the watches over upstreams.
    let tasks = TaskNursery()
    let patience: Duration
    let wallClock: (any WallClock)?
    let blockingCalls = BlockingCalls(abandonedCalls: AbandonedCalls())
    let closeDeadline: Duration
    let clock: any Clock<Duration>
    /// What the runs of models of tensors share.
    let workers = TensorWorkers()
    /// For whoever measures deadlines; they are kept while ``watch()`` runs.
    let timers: Timers
    private let stepDeadline: Duration

    /// - Parameters:
    ///   - stepDeadline: how long one step of a session may take before it counts as hung.
    ///   - closeDeadline: how long closing waits for a thread before it leaves it behind.
    ///   - patience: how long a request waits for a lazy instance to be loaded, and a load for room.
    ///   - memoryBudget: what all instances may take together, in bytes; nil: as much as there is.
    ///   - clock: measures all three times.
    ///   - wallClock: dates when an instance was used last.
    package init(
        stepDeadline: Duration = .seconds(60),
        closeDeadline: Duration = .seconds(5),
        patience: Duration = .seconds(30),
        memoryBudget: Int64? = nil,
        clock: any Clock<Duration> = ContinuousClock(),
        wallClock: (any WallClock)? = nil
    ) {
        self.state = Mutex(State(memory: MemoryPool(budget: memoryBudget)))
        self.patience = patience
        self.wallClock = wallClock
        self.stepDeadline = stepDeadline
        self.closeDeadline = closeDeadline
        self.clock = clock
        self.timers = Timers(clock: clock)
    }

    deinit {
        self.workers.close()
    }

    // MARK: Leases

    /// Claims an instance: a lazy one as it is, any other only when it is ready.
    ///
    /// - Parameter onLoaded: called once, from any task, when a lazy one is loaded for the first request by this lease.
    ///
    /// Throws `InstanceMissing`, or `InstanceFailed` with the reason.
    package func lease(
        _ spec: InstanceSpec,
        onLoaded: @escaping @Sendable () -> Void = {}
    ) throws -> InstanceLease {
        guard spec.isLazy else { return try self.lease(spec.key) }
        self.state.withLock { state in
            state.entries[spec.key, default: Entry(spec: spec)].leases += 1
            state.noteHold(of: spec.key)
        }
        return InstanceLease(key: spec.key, isEager: false, pool: self, onLoaded: onLoaded)
    }

    /// Claims an instance that is ready, and that is to stay loaded. Throws as ``lease(_:)`` does.
    package func lease(_ key: InstanceKey) throws -> InstanceLease {
        try self.state.withLock { state in
            _ = try Self.servingModel(of: key, in: state)
            state.entries[key]?.leases += 1
            state.entries[key]?.eagerLeases += 1
            state.noteHold(of: key)
        }
        return InstanceLease(key: key, isEager: true, pool: self)
    }

    func releaseLease(of key: InstanceKey, isEager: Bool) {
        let room = self.state.withLock { state in
            guard var entry = state.entries[key] else { return nil as Latch? }
            entry.leases -= 1
            if isEager {
                entry.eagerLeases -= 1
                if entry.eagerLeases == 0 { entry.isEager = false }
            }
            state.replace(entry, of: key)
            return state.takeRoom()
        }
        room?.open()
    }

    /// What a model says of itself; nil before it is loaded for the first time.
    func description(of key: InstanceKey) -> ModelDescription? {
        self.state.withLock { $0.entries[key].flatMap { $0.model?.description ?? $0.description } }
    }

    /// The model that takes a key's requests now, for a request that is not counted while it uses it.
    func model(for key: InstanceKey) throws -> PooledModel {
        let now = self.wallClock?.now()
        return try self.state.withLock { state in
            let model = try Self.servingModel(of: key, in: state)
            if let place = state.entries.index(forKey: key) { state.entries.values[place].lastUsed = now }
            return model
        }
    }

    static func servingModel(of key: InstanceKey, in state: State) throws -> PooledModel {
        guard let entry = state.entries[key], !entry.isIdle else {
            throw MartletError("InstanceMissing", "instance \(key) is not loaded", disposition: .waiting)
        }
        guard let model = entry.readyModel else { throw entry.cannotAnswer }
        return model
    }

    // MARK: Observing

    /// Every instance as it is now, but for lazy ones that nobody has asked for. Weights count once, however many copies
    /// share them.
    package func observe(withLazy isAll: Bool = true) -> [InstanceKey: InstanceObservation] {
        self.state.withLock { state in
            state.entries.filter { !$0.value.isIdle && (isAll || $0.value.isPinned) }.mapValues(Self.observation)
        }
    }

    /// What is in memory of these instances, and when they were used last; those that nobody leases are not named.
    func uses(of keys: Set<InstanceKey>) -> [InstanceKey: InstanceUse] {
        let now = self.wallClock?.now()
        let entries = self.state.withLock { state in
            keys.compactMap { key in state.entries[key].map { (key, $0) } }
        }
        return Dictionary(uniqueKeysWithValues: entries).mapValues { entry in
            InstanceUse(
                observation: entry.isIdle ? nil : Self.observation(of: entry),
                wasLoaded: entry.model != nil || entry.source != nil,
                lastUsed: entry.uses > 0 ? now : entry.lastUsed
            )
        }
    }

    /// The servers behind each model that is not here.
    func observeUpstreams() -> [InstanceKey: ServingMetrics.Upstreams] {
        self.state.withLock { $0.entries }.compactMapValues { entry in
            guard let servers = entry.model?.upstreams, !servers.isEmpty else { return nil }
            return ServingMetrics.Upstreams(model: entry.spec.model, servers: servers)
        }
    }

    /// Which of several servers are left alone for a while, and why; the others answer in their place.
    private static func coolingDown(of entry: Entry) -> [String: String] {
        let resting = entry.model?.upstreams.filter(\.isCoolingDown) ?? []
        return Dictionary(resting.map { ($0.url, $0.lastFailure ?? "it failed") }) { first, _ in first }
    }

    private static func observation(of entry: Entry) -> InstanceObservation {
        let memory = entry.model?.memoryBytes ?? 0
        let copies = entry.readyCopies
        let message = entry.lastFailure?.message ?? ""
        if copies > 0 {
            let coolingDown = Self.coolingDown(of: entry)
            let trouble = coolingDown.sorted { $0.key < $1.key }.map { "\($0) cools down: \($1)" }
            let isWhole = copies >= entry.spec.copies
            var observation = InstanceObservation(
                state: .ready,
                message: isWhole ? trouble.joined(separator: "; ") : message,
                memoryBytes: memory,
                copies: copies,
                isLeased: entry.leases > 0
            )
            observation.coolingDown = coolingDown.isEmpty ? nil : coolingDown
            return observation
        }
        let state: InstanceObservation.State =
            entry.flight != nil ? .loading : entry.demand != nil ? .demanded : .failed
        return InstanceObservation(
            state: state,
            message: state == .failed ? message : "",
            memoryBytes: memory,
            copies: 0,
            isLeased: entry.leases > 0
        )
    }

    /// Calls into engines that did not return in time and were left behind, since the start.
    package var abandonedCalls: Int { self.blockingCalls.abandonedCalls.total }

    /// Of these, the ones that still have not returned.
    package var hangingCalls: Int { self.blockingCalls.abandonedCalls.outstanding }

    /// Yields when an instance begins to load, and when one died or hung by itself.
    package func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id: UInt64? = self.state.withLock { state in
            if state.isClosed { return nil }
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = continuation
            return state.nextWatcher
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.watchers.removeValue(forKey: id) }
        }
        return stream
    }

    func notify() {
        let watchers = self.state.withLock { Array($0.watchers.values) }
        for watcher in watchers { watcher.yield() }
    }

    // MARK: Watching

    /// Looks for hung sessions, and keeps the timers going, until the task is cancelled. One such loop serves the whole
    /// pool.
    package func watch() async {
        await withTaskGroup { group in
            group.addTask { await self.timers.run() }
            await self.watch(on: self.clock)
            group.cancelAll()
        }
    }

    private func watch(on clock: some Clock<Duration>) async {
        let start = clock.now
        while (try? await clock.sleep(for: self.stepDeadline / 4)) != nil {
            self.checkForHangs(now: start.duration(to: clock.now))
        }
    }

    /// Leaves every session behind whose step has been going on for too long.
    ///
    /// - Parameter now: on a time line that all calls share.
    func checkForHangs(now: Duration) {
        for entry in self.state.withLock({ Array($0.entries.values) }) {
            switch entry.model {
            case .language(let server): server.checkForHangs(now: now, deadline: self.stepDeadline)
            case .tensor(let server):
                server.checkForHangs(now: now, deadline: self.stepDeadline)
                server.closeIdleSessions()
            case .completion, .tensorService, nil: continue
            }
        }
    }

    // MARK: Unloading

    /// Gives an instance back, memory included; requests that wait for its first load are told. Nothing happens while it
    /// is leased or loading.
    package func unload(_ key: InstanceKey) async {
        let (leaving, demand) = self.state.withLock { state -> (Leaving, Flight?) in
            guard let entry = state.entries[key], entry.leases == 0, entry.flight == nil else {
                return (Leaving(), nil)
            }
            // Requests that it is taken from end by themselves, and count until then.
            var rest = Entry(spec: entry.spec)
            rest.uses = entry.uses
            state.replace(rest, of: key)
            let departures = [state.memory.leave(key)].compactMap(\.self)
            return (Leaving(models: [entry.model].compactMap(\.self), departures: departures), entry.demand)
        }
        demand?.land(.failure(MartletError("NotLoaded", "no revision leases it any more", disposition: .retryable)))
        await self.close(leaving)
    }

    /// Closes everything, leased or not; whoever waits for a load is told. A thread that hangs is not waited for.
    package func shutdown() async {
        let (models, flights, watchers) = self.state.withLock { state in
            state.isClosed = true
            self.tasks.close()
            defer {
                state.entries.removeAll()
                state.watchers.removeAll()
            }
            let entries = state.entries.values
            let flights = entries.compactMap(\.flight) + entries.compactMap(\.demand)
            return (entries.compactMap(\.model), flights, Array(state.watchers.values))
        }
        for flight in flights { flight.land(.failure(.closing)) }
        for watcher in watchers { watcher.finish() }
        await withTaskGroup(of: Void.self) { group in
            for model in models { group.addTask { await model.close() } }
        }
        self.workers.close()
    }
}
