package import Planning
package import Schema

/// Which steps are under way, which failed, and when those may be tried again: one entry for each key.
///
/// Steps that act on the same thing never overlap: one that was superseded has ended before another takes its place.
/// A value: the reconciler owns it, tests drive it.
package struct WorkQueue: Sendable {
    /// One step under way.
    private struct Running: Sendable {
        var action: StepAction
        /// Whether a newer plan has asked it to stop.
        var isSuperseded = false
    }

    package private(set) var failures: [StepKey: StepFailure] = [:]
    /// Instances that may have taken a process down: each is loaded alone, so that the next crash says which one it was.
    package var suspects: Set<InstanceKey> = []
    /// Instances that loaded well and died later: how often, and when last.
    private var deaths: [InstanceKey: (count: Int, lastAt: Timestamp)] = [:]
    private let backoff: Backoff
    private var running: [StepKey: Running] = [:]
    private var lanes: Set<StepLane> = []
    /// Runners that are being drained or stopped.
    private var leaving: Set<RunnerKey> = []
    private var probing = 0
    private var loading: Set<InstanceKey> = []
    private var unloading = 0
    private var isPruning = false

    package init(backoff: Backoff = Backoff()) {
        self.backoff = backoff
    }

    package func isRunning(_ key: StepKey) -> Bool { self.running[key] != nil }

    /// Whether a newer plan has asked a step under way to stop.
    package func isSuperseded(_ key: StepKey) -> Bool { self.running[key]?.isSuperseded ?? false }

    /// Takes a step on, unless it or something that it must not overlap is under way: then the end of that wakes the
    /// loop, which asks again.
    package mutating func begin(_ action: StepAction) -> Bool {
        let key = action.key
        guard self.running[key] == nil, !self.lanes.contains(action.lane), self.hasRoom(for: action) else {
            return false
        }
        self.running[key] = Running(action: action)
        self.lanes.insert(action.lane)
        switch action {
        case .probe: self.probing += 1
        case .load(let instance): self.loading.insert(instance.key)
        case .unload: self.unloading += 1
        case .drain(let runner, _), .stop(let runner): self.leaving.insert(runner)
        case .beginRollout, .start, .warmUp, .setTraffic, .promote, .advanceRollout, .hold, .liftHold, .applySettings,
            .scale, .removeEndpoint, .forget:
            break
        }
        return true
    }

    private func hasRoom(for action: StepAction) -> Bool {
        switch action {
        case .probe:
            return !self.isPruning
        case .load(let instance):
            // The memory of an instance is given back only when its unload has ended.
            guard !self.isPruning, self.unloading == 0 else { return false }
            let isSuspect = self.suspects.contains(instance.key)
            return isSuspect ? self.loading.isEmpty : self.suspects.isDisjoint(with: self.loading)
        case .drain(let runner, _), .stop(let runner):
            // Traffic that is on its way to this runner, by a plan that is not the newest any more, arrives first.
            return !self.lanes.contains(.traffic(runner.variant))
        case .setTraffic(let variant, let shares):
            // A drain that is not wanted any more may still take effect: who is drained with traffic on it answers nobody.
            return shares.allSatisfy { !self.leaving.contains(RunnerKey(variant, $0.revision)) }
        case .scale:
            // What the plan takes for loaded may be on its way out.
            return self.unloading == 0
        case .beginRollout, .start, .warmUp, .promote, .advanceRollout, .hold, .liftHold, .applySettings, .unload,
            .removeEndpoint, .forget:
            return true
        }
    }

    /// Takes on the removal of files that nothing needs, unless steps are under way that use files; none begins before
    /// ``endPruning()``.
    package mutating func beginPruning() -> Bool {
        guard !self.isPruning, self.probing == 0, self.loading.isEmpty else { return false }
        self.isPruning = true
        return true
    }

    package mutating func endPruning() {
        self.isPruning = false
    }

    /// The steps to cancel because the newest plan has no use for them; each is named once.
    package mutating func supersede(keeping isWanted: (StepKey) -> Bool) -> [StepKey] {
        let unwanted = self.running.filter { !$0.value.isSuperseded && !isWanted($0.key) }.keys.sorted()
        for key in unwanted {
            self.running[key]?.isSuperseded = true
        }
        return unwanted
    }

    /// The step ended well.
    package mutating func succeed(_ key: StepKey) {
        self.end(key)
        self.failures[key] = nil
    }

    /// The step ended because it was cancelled: no failure of its own.
    package mutating func abandon(_ key: StepKey) {
        self.end(key)
    }

    /// The step failed; returns what was noted, with the time of the next try.
    @discardableResult
    package mutating func fail(
        _ key: StepKey,
        _ error: MartletError,
        at now: Timestamp,
        jitter: Double
    ) -> StepFailure {
        self.end(key)
        let earlier = self.failures[key]
        let attempts = (earlier?.attempts ?? 0) + 1
        let delay = self.backoff.delay(afterAttempts: attempts, jitter: jitter)
        let failure = StepFailure(
            attempts: attempts,
            code: error.code,
            message: error.description,
            disposition: error.disposition,
            firstAt: earlier?.firstAt ?? now,
            retryAt: now.advanced(byMilliseconds: delay)
        )
        self.failures[key] = failure
        return failure
    }

    /// An instance that ran has died. The first time it may be loaded again at once; one that goes on dying, with less
    /// than `calmAfter` milliseconds in between, is loaded ever more rarely.
    package mutating func noteDeath(
        of instance: InstanceKey,
        _ message: String,
        at now: Timestamp,
        jitter: Double,
        calmAfter: Int64 = 600_000
    ) {
        self.deaths = self.deaths.filter { now.milliseconds - $0.value.lastAt.milliseconds < calmAfter }
        let count = (self.deaths[instance]?.count ?? 0) + 1
        self.deaths[instance] = (count, now)
        guard count > 1 else { return }
        self.failures[StepAction.loadKey(of: instance)] = StepFailure(
            attempts: count - 1,
            code: "InstanceDied",
            message: message,
            disposition: .retryable,
            firstAt: now,
            retryAt: now.advanced(byMilliseconds: self.backoff.delay(afterAttempts: count - 1, jitter: jitter))
        )
    }

    /// Forgets failures, so that their steps are tried at once: by a person's wish, or since nothing wants them.
    package mutating func forget(where isForgotten: (StepKey) -> Bool) {
        self.failures = self.failures.filter { !isForgotten($0.key) }
    }

    /// Moves every moment that is waited for along with a wall clock that was set.
    package mutating func shift(byMilliseconds amount: Int64) {
        for key in self.failures.keys {
            self.failures[key]?.firstAt.milliseconds += amount
            self.failures[key]?.retryAt.milliseconds += amount
        }
        for instance in self.deaths.keys { self.deaths[instance]?.lastAt.milliseconds += amount }
    }

    private mutating func end(_ key: StepKey) {
        guard let ended = self.running.removeValue(forKey: key) else { return }
        self.lanes.remove(ended.action.lane)
        // A start takes on thousands of steps at once; tables for so many are not kept.
        if self.running.isEmpty { (self.running, self.lanes) = ([:], []) }
        switch ended.action {
        case .probe:
            self.probing -= 1
        case .load(let instance):
            self.loading.remove(instance.key)
            self.suspects.remove(instance.key)
        case .unload:
            self.unloading -= 1
        case .drain(let runner, _), .stop(let runner):
            self.leaving.remove(runner)
        case .beginRollout, .start, .warmUp, .setTraffic, .promote, .advanceRollout, .hold, .liftHold, .applySettings,
            .scale, .removeEndpoint, .forget:
            break
        }
    }
}

/// What a step acts on: steps of one lane never overlap.
private enum StepLane: Sendable, Hashable {
    case instance(InstanceKey)
    case runner(RunnerKey)
    case traffic(VariantID)
    case endpoint(ResourceIdentity)
    /// Only written down, in the pass's own transaction.
    case facts(StepKey)
}

extension StepAction {
    fileprivate var lane: StepLane {
        switch self {
        case .probe(let instance), .load(let instance): .instance(instance.key)
        case .unload(let instance): .instance(instance)
        case .start(let graph, _): .runner(RunnerKey(graph.variant, graph.revision))
        case .warmUp(let runner), .scale(let runner, _), .drain(let runner, _), .stop(let runner): .runner(runner)
        case .setTraffic(let variant, _): .traffic(variant)
        case .applySettings(let endpoint, _), .removeEndpoint(let endpoint): .endpoint(endpoint)
        case .beginRollout, .promote, .advanceRollout, .hold, .liftHold, .forget: .facts(self.key)
        }
    }
}
