internal import Planning
internal import Schema
internal import Synchronization

/// One revision's replicas: seats requests on them, lets others wait, and drains.
///
/// A request is counted in under the same lock that checks whether the runner takes requests, so none can slip in
/// behind a drain: it is seated, or told to go elsewhere.
final class Runner: Sendable {
    /// A place on a replica; taken until ``leave(_:)``.
    struct Seat: Sendable {
        let request: RunnerState.RequestID
        let models: [ResourceIdentity: any CompletionModel]
        /// Ends the answer from outside.
        let signal: EndSignal
    }

    enum Admission: Sendable {
        case seated(Seat)
        /// The runner takes no requests; the newest routing snapshot names another.
        case moved
    }

    enum Turn: Sendable {
        case seated(Seat)
        case moved
        case timedOut
    }

    private enum Arrival {
        case turn(Turn)
        /// Waits; it may be the first one of a runner without replicas.
        case wait(RunnerState.RequestID, AsyncStream<Turn>, isFirst: Bool)
        case full
    }

    struct Guarded {
        var state: RunnerState
        /// Nil as long as nobody asks how many requests there are.
        var meter: ConcurrencyMeter?
        var models: [Int: LeasedModels] = [:]
        var signals: [RunnerState.RequestID: EndSignal] = [:]
        var turns: [RunnerState.RequestID: AsyncStream<Turn>.Continuation] = [:]
        /// Finished when nothing is under way any more, or the runner begins over.
        var drains: [AsyncStream<Never>.Continuation] = []
        var nextRequest: RunnerState.RequestID = 0
    }

    let key: RunnerKey
    let graph: RevisionGraph
    private let clock: any Clock<Duration>
    let measure: @Sendable () -> Int?
    private let lease: @Sendable (_ onLoaded: @escaping @Sendable () -> Void) throws -> LeasedModels
    private let onIdle: @Sendable () -> Void
    private let onAwaited: @Sendable () -> Void
    private let onChange: @Sendable () -> Void
    let stopwatch: Stopwatch
    let guarded: Mutex<Guarded>
    /// What its bare model said of itself, once somebody has asked: also while it sleeps.
    let description = Mutex<ModelDescription?>(nil)
    private let compiled = Mutex<RunnerProgram?>(nil)
    let openLookups = Mutex(OpenLookups())

    /// - Parameters:
    ///   - capacity: requests at once that one replica lets through to its models; nil where it has to be measured.
    ///   - measure: finds the capacity; nil as long as a model is not loaded.
    ///   - lease: claims the models of one more replica; is to call `onLoaded` when a lazy one is loaded after all.
    ///   - onIdle: called when a draining runner has nothing under way any more, and when one that has no replicas left
    ///     has given back what they leased.
    ///   - onAwaited: called when a first request waits while there is no replica.
    ///   - onChange: called after each change of what is seen of the runner, but for requests that come and go.
    init(
        _ graph: RevisionGraph,
        capacity: Int?,
        clock: any Clock<Duration>,
        measure: @escaping @Sendable () -> Int? = { nil },
        lease: @escaping @Sendable (_ onLoaded: @escaping @Sendable () -> Void) throws -> LeasedModels,
        onIdle: @escaping @Sendable () -> Void,
        onAwaited: @escaping @Sendable () -> Void = {},
        onChange: @escaping @Sendable () -> Void = {}
    ) {
        self.key = RunnerKey(graph.variant, graph.revision)
        self.graph = graph
        self.clock = clock
        self.measure = measure
        self.lease = lease
        self.onIdle = onIdle
        self.onAwaited = onAwaited
        self.stopwatch = Stopwatch(clock)
        self.onChange = onChange
        self.guarded = Mutex(Guarded(state: RunnerState(capacity: capacity)))
    }

    /// What the revision does with a request: compiled for the first one, and kept. Of many endpoints most are asked
    /// seldom, and a program takes more memory than all else of its runner.
    func program() throws(MartletError) -> RunnerProgram {
        try self.compiled.withLock { compiled throws(MartletError) in
            if let compiled { return compiled }
            let program = try RunnerProgram(self.graph, clock: self.clock)
            compiled = program
            return program
        }
    }

    /// What is seen of the runner.
    var observation: RunnerObservation {
        self.guarded.withLock { guarded in
            let (state, message) = guarded.state.phase.observed
            return RunnerObservation(
                state: state,
                replicas: guarded.state.replicaCount,
                inFlight: guarded.state.inFlight,
                waiting: guarded.state.waitingForFirst,
                message: message
            )
        }
    }

    /// Requests that wait for a seat.
    var queued: Int { self.guarded.withLock { $0.state.queued } }

    // MARK: Requests

    /// Seats a request, at once or when its turn comes.
    ///
    /// - Parameters:
    ///   - patience: how long the request may wait for its turn.
    ///   - wasMoved: whether a draining runner sent the request on; it is never refused for want of room.
    ///   - sharing: how many requests share a place of a model.
    ///
    /// Throws `queueFull`, `queueTimeout`, and `CancellationError`.
    func admit(
        queueLimit: Int,
        patience: Duration,
        wasMoved: Bool,
        priority: RequestPriority = .normal,
        sharing: Int = 1
    ) async throws -> Admission {
        let arrival = self.arrive {
            $0.arrive($1, queueLimit: queueLimit, wasMoved: wasMoved, priority: priority, sharing: sharing)
        }
        switch arrival {
        case .turn(let turn): return try Runner.admission(turn)
        case .full:
            throw CallError(
                .queueFull,
                "too many requests wait already (\(queueLimit)); try again later",
                retryAfter: 1
            )
        case .wait(let request, let turns, let isFirst):
            if isFirst { self.tellAwaited() }
            guard let turn = await self.turn(of: request, in: turns, patience: patience) else {
                self.leave(request)
                throw CancellationError()
            }
            return try Runner.admission(turn)
        }
    }

    /// Gives a seat back, or a place in the queue.
    func leave(_ request: RunnerState.RequestID) {
        let (granted, isIdle) = self.guarded.withLock { guarded in
            let wasDraining = guarded.state.phase == .draining
            let grants = self.learnCapacity(&guarded) + guarded.state.leave(request)
            self.noteDemand(&guarded)
            guarded.signals[request] = nil
            guarded.turns[request] = nil
            let hasReleased = Runner.dropRetired(&guarded) && guarded.models.isEmpty
            let isDrained = wasDraining && guarded.state.phase == .drained
            if isDrained { Runner.finishDrains(&guarded) }
            return (Runner.seat(grants, &guarded), isDrained || hasReleased)
        }
        for (turn, seat) in granted { turn.yield(.seated(seat)) }
        if isIdle {
            self.onChange()
            self.onIdle()
        }
    }

    private func arrive(
        _ decide: (inout RunnerState, RunnerState.RequestID) -> RunnerState.Arrival
    ) -> Arrival {
        let (granted, arrival) = self.guarded.withLock { guarded in
            let granted = Runner.seat(self.learnCapacity(&guarded), &guarded)
            let arrival = Runner.arrive(decide, &guarded)
            self.noteDemand(&guarded)
            return (granted, arrival)
        }
        for (turn, seat) in granted { turn.yield(.seated(seat)) }
        return arrival
    }

    private static func arrive(
        _ decide: (inout RunnerState, RunnerState.RequestID) -> RunnerState.Arrival,
        _ guarded: inout Guarded
    ) -> Arrival {
        let request = guarded.nextRequest
        guarded.nextRequest += 1
        switch decide(&guarded.state, request) {
        case .admitted(let replica): return .turn(.seated(self.seat(request, on: replica, &guarded)))
        case .moved: return .turn(.moved)
        case .full: return .full
        case .waits:
            let (turns, continuation) = AsyncStream<Turn>.makeStream()
            guarded.turns[request] = continuation
            return .wait(request, turns, isFirst: guarded.state.waitingForFirst == 1)
        }
    }

    /// Waits for the turn; nil when the caller is cancelled first. A turn that comes together with the end of the
    /// patience counts.
    private func turn(of request: RunnerState.RequestID, in turns: AsyncStream<Turn>, patience: Duration) async -> Turn?
    {
        await withTaskGroup(of: Turn?.self) { group in
            group.addTask {
                for await turn in turns { return turn }
                return nil
            }
            group.addTask {
                guard (try? await self.clock.sleep(for: patience)) != nil else { return nil }
                return self.giveUp(request) ? .timedOut : nil
            }
            for await turn in group {
                guard let turn else { continue }
                group.cancelAll()
                return turn
            }
            return nil
        }
    }

    /// Takes a request out of the queue. Returns false when it has its turn already.
    private func giveUp(_ request: RunnerState.RequestID) -> Bool {
        let isWaiting = self.guarded.withLock { $0.turns.removeValue(forKey: request) != nil }
        if isWaiting { self.leave(request) }
        return isWaiting
    }

    private static func admission(_ turn: Turn) throws -> Admission {
        switch turn {
        case .seated(let seat): return .seated(seat)
        case .moved: return .moved
        case .timedOut:
            throw CallError(.queueTimeout, "no replica became free in time; try again later", retryAfter: 1)
        }
    }

    // MARK: Life

    /// Sets how many replicas take requests. Throws what leasing throws; then nothing has changed.
    func resize(to count: Int) throws {
        let (granted, isAwaited) = try self.guarded.withLock { guarded in
            // The pool takes its own lock within this one, and never the other way round.
            let missing = max(0, count - guarded.state.replicaCount)
            var leased: [LeasedModels] = []
            do {
                for _ in 0..<missing { leased.append(try self.lease { [weak self] in self?.noteLoad() }) }
            } catch {
                for models in leased { models.release() }
                throw error
            }
            let grants = guarded.state.resize(to: count)
            for number in guarded.state.replicaNumbers where guarded.models[number] == nil {
                guarded.models[number] = leased.popLast()
            }
            Runner.dropRetired(&guarded)
            return (Runner.seat(grants, &guarded), guarded.state.waitingForFirst > 0)
        }
        self.onChange()
        for (turn, seat) in granted { turn.yield(.seated(seat)) }
        if isAwaited { self.onAwaited() }
    }

    private func tellAwaited() {
        self.onChange()
        self.onAwaited()
    }

    /// Begins over when the runner was drained or failed; answers under way go on.
    func restart() {
        self.guarded.withLock { guarded in
            guarded.state.restart()
            Runner.finishDrains(&guarded)
        }
        self.onChange()
    }

    /// Takes requests from now on.
    func becomeReady() {
        let granted = self.guarded.withLock { Runner.seat($0.state.becomeReady(), &$0) }
        self.onChange()
        for (turn, seat) in granted { turn.yield(.seated(seat)) }
    }

    /// Marks a runner whose warm-up failed.
    func fail(_ reason: String) {
        self.guarded.withLock { $0.state.fail(reason) }
        self.onChange()
    }

    /// Takes no more requests and waits until nothing is under way; what is left after `timeout` is interrupted.
    func drain(timeout: Duration) async {
        let (idle, idleness) = AsyncStream<Never>.makeStream()
        let moved = self.guarded.withLock { guarded in
            let moved = Runner.closeDoors(&guarded)
            self.noteDemand(&guarded)
            if guarded.state.phase == .draining { guarded.drains.append(idleness) } else { idleness.finish() }
            return moved
        }
        self.onChange()
        for turn in moved { turn.yield(.moved) }
        do {
            try await withDeadline(timeout, clock: self.clock) { for await _ in idle {} }
        } catch is DeadlineExceeded {
            self.interrupt()
        } catch {
            // Cancelled: the runner goes on draining, only nobody waits for it any more.
        }
    }

    /// Ends the runner: requests that wait go elsewhere, answers under way are interrupted, leases given back.
    func stop() {
        let (moved, models) = self.guarded.withLock { guarded in
            let moved = Runner.closeDoors(&guarded)
            Runner.finishDrains(&guarded)
            defer { guarded.models = [:] }
            return (moved, guarded.models.values)
        }
        for turn in moved { turn.yield(.moved) }
        self.interrupt()
        for leased in models { leased.release() }
    }

    /// Ends every answer under way, if the runner takes no requests.
    private func interrupt() {
        let signals = self.guarded.withLock { guarded in
            guarded.state.phase == .draining ? Array(guarded.signals.values) : []
        }
        for signal in signals { signal.end(.interrupted) }
    }

    // MARK: Under the lock

    private static func closeDoors(_ guarded: inout Guarded) -> [AsyncStream<Turn>.Continuation] {
        guarded.state.drain().compactMap { guarded.turns.removeValue(forKey: $0) }
    }

    private static func finishDrains(_ guarded: inout Guarded) {
        for drain in guarded.drains { drain.finish() }
        guarded.drains = []
    }

    static func seat(
        _ grants: [RunnerState.Grant],
        _ guarded: inout Guarded
    ) -> [(AsyncStream<Turn>.Continuation, Seat)] {
        grants.compactMap { grant in
            guard let turn = guarded.turns.removeValue(forKey: grant.request) else { return nil }
            return (turn, self.seat(grant.request, on: grant.replica, &guarded))
        }
    }

    private static func seat(
        _ request: RunnerState.RequestID,
        on replica: Int,
        _ guarded: inout Guarded
    ) -> Seat {
        let signal = EndSignal()
        guarded.signals[request] = signal
        return Seat(request: request, models: guarded.models[replica]?.models ?? [:], signal: signal)
    }

    /// Gives back what replicas leased that are gone; returns whether any was.
    @discardableResult
    private static func dropRetired(_ guarded: inout Guarded) -> Bool {
        let kept = Set(guarded.state.replicaNumbers)
        let gone = guarded.models.keys.filter { !kept.contains($0) }
        for number in gone { guarded.models.removeValue(forKey: number)?.release() }
        return !gone.isEmpty
    }
}

extension RunnerState.Phase {
    fileprivate var observed: (RunnerObservation.State, String) {
        switch self {
        case .started: (.started, "")
        case .ready: (.ready, "")
        case .draining: (.draining, "")
        case .drained: (.drained, "")
        case .failed(let reason): (.failed, reason)
        }
    }
}
