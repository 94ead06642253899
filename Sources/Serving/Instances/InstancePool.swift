package import Planning
internal import Schema
internal import Synchronization

/// Owns every loaded model of this process, by its key: loads, leases, watches over and unloads it. It holds no policy.
package final class InstancePool: Sendable {
    /// One load that callers share.
    final class Flight: Sendable {
        let hasLanded = Latch()
        let outcome = Mutex<Result<Void, MartletError>?>(nil)
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
    }

    struct State: Sendable {
        var entries: [InstanceKey: Entry] = [:]
        var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher: UInt64 = 0
        var isClosed = false
    }

    let state = Mutex(State())
    let blockingCalls = BlockingCalls(abandonedCalls: AbandonedCalls())
    let closeDeadline: Duration
    let clock: any Clock<Duration>
    private let stepDeadline: Duration

    /// - Parameters:
    ///   - stepDeadline: how long one step of a session may take before it counts as hung.
    ///   - closeDeadline: how long closing waits for a thread before it leaves it behind.
    ///   - clock: measures both.
    package init(
        stepDeadline: Duration = .seconds(60),
        closeDeadline: Duration = .seconds(5),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.stepDeadline = stepDeadline
        self.closeDeadline = closeDeadline
        self.clock = clock
    }

    // MARK: Leases

    /// Claims an instance that is ready. Throws `InstanceMissing`, or `InstanceFailed` with the reason.
    package func lease(_ key: InstanceKey) throws -> InstanceLease {
        let description = try self.state.withLock { state in
            let model = try Self.servingModel(of: key, in: state)
            state.entries[key]?.leases += 1
            return model.description
        }
        return InstanceLease(key: key, description: description, pool: self)
    }

    func releaseLease(of key: InstanceKey) {
        self.state.withLock { $0.entries[key]?.leases -= 1 }
    }

    /// The model that takes a key's requests now.
    func model(for key: InstanceKey) throws -> PooledModel {
        try self.state.withLock { try Self.servingModel(of: key, in: $0) }
    }

    private static func servingModel(of key: InstanceKey, in state: State) throws -> PooledModel {
        guard let entry = state.entries[key] else {
            throw MartletError("InstanceMissing", "instance \(key) is not loaded", disposition: .waiting)
        }
        guard entry.isServing, let model = entry.model, model.readyCopies(wanted: entry.spec.copies) > 0 else {
            let reason = (entry.failure ?? entry.model?.lastFailure).map { ": \($0.message)" } ?? " and is being loaded"
            throw MartletError(
                "InstanceFailed",
                "\(entry.spec.model) cannot answer\(reason)",
                disposition: .retryable
            )
        }
        return model
    }

    // MARK: Observing

    /// Every instance as it is now. Weights count once, however many copies share them.
    package func observe() -> [InstanceKey: InstanceObservation] {
        self.state.withLock { $0.entries.mapValues(Self.observation) }
    }

    private static func observation(of entry: Entry) -> InstanceObservation {
        let memory = entry.model?.memoryBytes ?? 0
        let copies = entry.isServing ? entry.model?.readyCopies(wanted: entry.spec.copies) ?? 0 : 0
        let message = (entry.failure ?? entry.model?.lastFailure)?.message ?? ""
        if copies > 0 {
            let isWhole = copies >= entry.spec.copies
            return InstanceObservation(
                state: .ready,
                message: isWhole ? "" : message,
                memoryBytes: memory,
                copies: copies,
                isLeased: entry.leases > 0
            )
        }
        let state: InstanceObservation.State = entry.flight == nil ? .failed : .loading
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

    /// Looks for hung sessions until the task is cancelled. One such loop serves the whole pool.
    package func watch() async {
        await self.watch(on: self.clock)
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
            guard case .language(let server) = entry.model else { continue }
            server.checkForHangs(now: now, deadline: self.stepDeadline)
        }
    }

    // MARK: Unloading

    /// Gives an instance back, memory included. Nothing happens while it is leased or loading.
    package func unload(_ key: InstanceKey) async {
        let model: PooledModel? = self.state.withLock { state in
            guard let entry = state.entries[key], entry.leases == 0, entry.flight == nil else { return nil }
            state.entries[key] = nil
            return entry.model
        }
        await model?.close()
    }

    /// Closes everything, leased or not. A thread that hangs is not waited for.
    package func shutdown() async {
        let (models, watchers) = self.state.withLock { state in
            state.isClosed = true
            defer {
                state.entries.removeAll()
                state.watchers.removeAll()
            }
            return (state.entries.values.compactMap(\.model), Array(state.watchers.values))
        }
        for watcher in watchers { watcher.finish() }
        await withTaskGroup(of: Void.self) { group in
            for model in models { group.addTask { await model.close() } }
        }
    }
}
