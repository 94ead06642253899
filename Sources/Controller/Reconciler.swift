package import Logging
package import Planning
internal import Schema
internal import ServiceLifecycle

/// The reconcile loop: observe, plan, act, record, again and again.
///
/// It is level-triggered. Whatever wakes it, it reads the desired state and the facts, observes the runtime, asks the
/// planner, starts the steps whose predecessors are done, with those that follow at once, and cancels running steps that
/// the newest plan has no use for. So the newest commit always wins, a crash loses nothing but time, and running twice
/// equals running once.
package actor Reconciler: Service {
    /// Everything the loop acts through.
    package struct Ports: Sendable {
        package var source: DesiredStateReader
        package var store: any ControlStore
        package var runtime: any ServingRuntime
        package var engines: any EngineCatalog
        package var executor: PlanExecutor
        package var wallClock: any WallClock
        package var clock: any Clock<Duration>
        package var jitter: JitterSource

        package init(
            source: DesiredStateReader,
            store: any ControlStore,
            runtime: any ServingRuntime,
            engines: any EngineCatalog,
            executor: PlanExecutor,
            wallClock: any WallClock,
            clock: any Clock<Duration>,
            jitter: @escaping JitterSource
        ) {
            self.source = source
            self.store = store
            self.runtime = runtime
            self.engines = engines
            self.executor = executor
            self.wallClock = wallClock
            self.clock = clock
            self.jitter = jitter
        }
    }

    let ports: Ports
    let version: String
    let memoryBudget: Int64?
    let lastEnd: LastEnd
    let logger: Logger
    let mailbox = Mailbox()
    let hub: EventHub
    private let executor: ReconcilerExecutor

    var desired: DesiredState?
    /// Stands in for the desired state while the source could not be read even once: what was promoted serves on.
    var remembered: DesiredState?
    /// The newest commit, where it is not in force.
    var pendingCommit: PendingCommit?
    var sourceCondition: Condition
    /// Whether the last write worked.
    var stateCondition: Condition
    /// The endpoints that wait for memory, with what they were last told.
    var shortages: [ResourceIdentity: String] = [:]
    /// When a source that could not be read is read again.
    var sourceRetry: SourceRetry
    /// Of each of several sources, by name; empty where there is one.
    var sourceConditions: [String: Condition] = [:]
    /// What runs and what was written down, as plans are made from it.
    var observed: ObservedState
    /// Lazy models that requests wait for, as the runtime was seen last.
    var demanded: Set<InstanceKey> = []
    /// What may have changed in it, or in the desired state, since the last plan.
    var changes = StateChanges.everything
    /// What this pass has changed, while it may still have to be undone.
    var undo: FactsUndo?
    var planner = IncrementalPlanner()
    /// The newest plan, with what was looked at for it.
    var update = IncrementalPlanner.Update(plan: Plan(commit: ""))
    var book = StatusBook()
    /// What the loop has done so far.
    package internal(set) var metrics = LoopMetrics()
    var queue: WorkQueue
    var scaling = Scaling()
    /// The commit that the runtime stamps answers with.
    private var stamp: ObjectID?
    /// Whether nothing may be pruned, since files could not be read from the start.
    var retainsEverything = false
    /// Whether the artifact store may hold files that nothing needs any more.
    var mayPrune = true
    /// Changes to be written with the next pass's transaction.
    var pending: [FactChange] = []
    private var cancelSignals: [StepKey: CancelSignal] = [:]
    /// Settings that were applied and may not be written down yet.
    var appliedSettings: [ResourceIdentity: EndpointSettings] = [:]
    /// The steps that are being performed in one go.
    var line: StepLine?
    /// What is written down about the newest commit that was read.
    var commitRecord: CommitRecord?
    /// The read under way, and nil while there is none.
    private var currentRead: SourceRead?
    /// What is read after the read under way, one after the other.
    private var nextReads: [SourceRead] = []
    private var hasEnded = false
    var clockWatch: ClockWatch
    /// Whether what was written down has been read.
    var hasRecovered = false
    var wasReady = false

    /// The loop's own thread: passes write to disk, and must not hold up the threads that serve requests.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.executor.asUnownedSerialExecutor()
    }

    /// - Parameter lastEnd: What becomes of loads that the process before this one did not end.
    package init(
        ports: Ports,
        version: String,
        memoryBudget: Int64? = nil,
        lastEnd: LastEnd = .crashed,
        backoff: Backoff = Backoff(),
        logger: Logger
    ) {
        self.ports = ports
        self.version = version
        self.memoryBudget = memoryBudget
        self.observed = ObservedState(memoryBudget: memoryBudget, engines: [])
        self.lastEnd = lastEnd
        self.logger = logger
        self.hub = EventHub(logger: logger)
        self.executor = ReconcilerExecutor()
        self.queue = WorkQueue(backoff: backoff)
        self.sourceRetry = SourceRetry(backoff)
        self.clockWatch = ClockWatch(ports.clock, at: ports.wallClock.now())
        self.stateCondition = Condition(
            type: .stateWritable,
            status: .yes,
            reason: "Written",
            message: "",
            lastTransitionTime: ports.wallClock.now().seconds
        )
        self.sourceCondition = Condition(
            type: .sourceReady,
            status: .unknown,
            reason: "NotReadYet",
            message: "the source has not been read yet",
            lastTransitionTime: ports.wallClock.now().seconds
        )
    }

    /// Reads what was written down, then loops until shutdown. Throws when the facts cannot be read.
    package func run() async throws {
        defer { self.end() }
        if !self.hasRecovered { try self.recover() }
        let mailbox = self.mailbox
        try await withGracefulShutdownHandler {
            try await self.loop()
        } onGracefulShutdown: {
            mailbox.finish()
        }
    }

    private func loop() async throws {
        let mailbox = self.mailbox
        // Asked for before anything is read, so that no change falls between.
        let (refChanges, runtimeChanges) = (self.ports.source.refChanges(), self.ports.runtime.changes())
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                for await _ in refChanges { mailbox.post(.sourceMoved) }
            }
            group.addTask {
                for await _ in runtimeChanges { mailbox.post(.runtimeChanged) }
            }
            mailbox.post(.sourceMoved)
            for await _ in mailbox.wakeUps {
                self.noteClock()
                var hasNews = false
                for event in mailbox.takeAll() {
                    hasNews = self.handle(event, in: &group) || hasNews
                }
                // A pass beside a line would look at what that is in the middle of changing.
                if hasNews, self.line == nil { await self.pass(in: &group) }
            }
            group.cancelAll()
        }
        self.settleTheLast()
    }

    /// Writes down how the steps ended that were cancelled by the end of the loop.
    private func settleTheLast() {
        _ = self.queue.supersede { _ in false }
        for event in self.mailbox.takeAll() {
            if case .stepEnded(let action, let result) = event { self.settle(action, result) }
        }
        self.writePending()
    }

    /// Lets nobody wait for a loop that is over.
    private func end() {
        self.hasEnded = true
        for read in [self.currentRead].compactMap(\.self) + self.nextReads {
            for waiter in read.waiters { waiter.resume(throwing: MartletError.shuttingDown) }
        }
        (self.currentRead, self.nextReads) = (nil, [])
        self.hub.finish()
    }

    /// Has the source read once more from now on, the commit that is known too, and gives the commit in force to the
    /// waiter.
    func readAgain(for waiter: SourceRead.Waiter, _ request: SyncGate.Request?, by actor: Actor) {
        guard !self.hasEnded else {
            waiter.resume(throwing: MartletError.shuttingDown)
            return
        }
        if let index = self.nextReads.lastIndex(where: { $0.request == request }) {
            self.nextReads[index].join(waiter)
        } else {
            var next = SourceRead()
            if request != nil { (next.request, next.actor) = (request, actor) }
            next.join(waiter)
            self.nextReads.append(next)
        }
        self.mailbox.post(.sourceMoved)
    }

    /// Takes in what has happened; returns whether a pass has to look at it.
    private func handle(_ event: LoopEvent, in group: inout ThrowingDiscardingTaskGroup<any Error>) -> Bool {
        switch event {
        case .sourceMoved:
            self.lookAtNewest(in: &group)
        case .sourceRead(let result):
            self.accept(result, of: self.currentRead ?? SourceRead())
            let inForce = result.map { self.desired?.commit ?? $0.commit }
            for waiter in self.currentRead?.waiters ?? [] { waiter.resume(with: inForce) }
            self.currentRead = nil
            self.readSource(in: &group)
        case .stepEnded(let action, let result):
            self.cancelSignals[action.key] = nil
            self.settle(action, result)
        case .lineEnded:
            self.line = nil
        case .pruned:
            self.queue.endPruning()
        case .wake:
            // The same moment may have to be waited for again, should clocks disagree.
            self.wakeUpAt = nil
            let isDue = self.takeDuePendingCommit()
            if self.sourceRetry.take(at: self.ports.wallClock.now()) || isDue { self.lookAtNewest(in: &group) }
        case .demand(let demands):
            let hasNews = self.take(demands)
            self.scheduleLook(in: &group)
            return hasNews
        case .runtimeChanged:
            break
        }
        return true
    }

    /// Has the newest commit looked at, unless somebody's wish has the same done. A wish for a certain commit does not:
    /// it may fail.
    private func lookAtNewest(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        if !self.nextReads.contains(where: \.looksAtNewest) { self.nextReads.append(SourceRead()) }
        self.readSource(in: &group)
    }

    /// Reads the source beside the loop, if that was asked for; a wish that comes during a read is kept for after it,
    /// since that read may have seen the ref before the wish.
    private func readSource(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        guard self.currentRead == nil, !self.nextReads.isEmpty else { return }
        let next = self.nextReads.removeFirst()
        self.currentRead = next
        let (source, mailbox) = (self.ports.source, self.mailbox)
        let (gate, now) = (self.gate(for: next), self.ports.wallClock.now())
        group.addTask {
            do {
                mailbox.post(.sourceRead(.success(try await source.read(gate, now: now, again: next.again))))
            } catch {
                mailbox.post(.sourceRead(.failure(error)))
            }
        }
    }

    /// One pass: cancels what is superseded, writes the facts, starts what can start.
    private func pass(in group: inout ThrowingDiscardingTaskGroup<any Error>) async {
        let found = await self.ports.runtime.observeChanges()
        self.noteDeaths(in: found.instances)
        self.noteUpstreams(in: found.instances)
        self.changes.formUnion(self.take(found))
        // Read after the look: a person may have confirmed something meanwhile.
        guard let desired = self.desired ?? self.remembered else {
            if !self.writePending() { self.tryAgainSoon(in: &group) }
            return
        }
        self.noteScaled(desired, found)
        guard self.planAndWrite(desired) else {
            self.tryAgainSoon(in: &group)
            return
        }
        if !self.plan.steps.applySettings, self.stamp != desired.commit.id {
            self.stamp = desired.commit.id
            // Only now does the runtime know every endpoint: until then nobody can tell which names are unknown.
            await self.ports.runtime.setCommit(desired.commit.id)
        }
        let (update, waiting) = (self.update, Set(self.plan.waits.compactMap(\.step)))
        self.queue.forget { !update.plans($0) && !waiting.contains($0) }
        for key in self.queue.supersede(keeping: update.plans) {
            self.cancelSignals[key]?.cancel()
        }
        await self.refuseDemands()
        self.startLine(in: &group)
        for step in self.plan.steps where step.after.isEmpty && !step.action.writesFacts && !step.action.isQuick {
            self.start(step, in: &group)
        }
        self.prune(in: &group)
        self.scheduleWakeUp(in: &group)
        self.scheduleLook(in: &group)
    }

    /// Once a commit has converged, removes the artifacts that neither it nor any written graph names, and what probes
    /// measured of such.
    private func prune(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        guard self.mayPrune || self.planner.index.hasOrphans, let desired = self.desired, self.hasConverged,
            self.queue.beginPruning()
        else { return }
        self.mayPrune = false
        self.planner.index.hasOrphans = false
        let kept = self.planner.index.artifacts(desired, self.facts)
        for instance in self.facts.probes.keys.filter({ self.planner.index.instanceUsers[$0] == nil }).sorted() {
            self.apply(.forgetProbe(instance))
            self.pending.append(.forgetProbe(instance))
        }
        // What cannot be written now is written with what comes next.
        _ = self.writePending()
        let (executor, mailbox, graphs) = (self.ports.executor, self.mailbox, self.facts.graphs(with: desired))
        group.addTask {
            await executor.prune(keeping: kept, graphs)
            mailbox.post(.pruned)
        }
    }

    /// The store refused: nothing may be built on what it does not hold.
    private func tryAgainSoon(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        self.wakeUp(at: self.ports.wallClock.now().advanced(byMilliseconds: 1000), in: &group)
    }

    /// Performs the steps in one go that never wait for anything.
    private func startLine(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        guard let line = StepLine(of: self.plan.steps, begin: { self.queue.begin($0) }) else { return }
        self.line = line
        let (executor, mailbox) = (self.ports.executor, self.mailbox)
        group.addTask {
            mailbox.post(await line.perform(by: executor).map(LoopEvent.stepEnded) + [.lineEnded])
        }
    }

    private func start(_ step: PlanStep, in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let (action, key) = (step.action, step.action.key)
        guard self.queue.begin(action) else { return }
        self.noteBeginning(of: step)
        let signal = CancelSignal()
        self.cancelSignals[key] = signal
        let (executor, mailbox) = (self.ports.executor, self.mailbox)
        self.logger.debug("step begins", metadata: ["step": "\(key)"])
        group.addTask {
            do {
                mailbox.post(.stepEnded(action, .success(try await signal.run { try await executor.perform(action) })))
            } catch {
                mailbox.post(.stepEnded(action, .failure(error)))
            }
        }
    }

    private var wakeUpSignal: CancelSignal?
    var wakeUpAt: Timestamp?

    /// Wakes the loop when the earliest wait is over, of the plan, of a commit or of the source.
    private func scheduleWakeUp(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let others = [self.pendingCommit?.wait.until, self.sourceRetry.at].compactMap(\.self)
        let moments = self.plan.waits.compactMap(\.until) + others
        self.wakeUp(at: moments.min(), in: &group)
    }

    private func wakeUp(at earliest: Timestamp?, in group: inout ThrowingDiscardingTaskGroup<any Error>) {
        guard earliest != self.wakeUpAt else { return }
        self.wakeUpSignal?.cancel()
        self.wakeUpAt = earliest
        guard let earliest else { return }
        let delay = max(earliest.milliseconds - self.ports.wallClock.now().milliseconds, 0)
        let signal = CancelSignal()
        self.wakeUpSignal = signal
        let (clock, mailbox) = (self.ports.clock, self.mailbox)
        group.addTask {
            do {
                try await signal.run { try await clock.sleep(for: .milliseconds(delay)) }
                mailbox.post(.wake)
            } catch {
                // Cancelled: a later plan waits for another moment.
            }
        }
    }
}
