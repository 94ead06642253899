package import Planning
package import Schema
internal import Synchronization

/// Serves requests from a model of tensors: runs as many at once as it has copies, puts requests together where their
/// endpoint says so, and notices runs that fail or hang.
///
/// It has no thread of its own: runs take turns on the ``TensorWorkers`` that all models share. A session is opened when
/// a run needs one, and closed when none has needed it for a while.
package final class TensorModelServer: TensorService {
    package let description: ModelDescription
    let model: any TensorModel
    let workers: TensorWorkers
    let timers: Timers
    let abandonedCalls: AbandonedCalls
    let onFailure: @Sendable () -> Void
    /// Whether rows can be put together; false from the first run on, of one request or of several, of which an output
    /// had other rows than the inputs.
    let isRowWise: Atomic<Bool>
    /// Opens when the server closes and no run is under way any more.
    let hasLanded = Latch()
    private let closeDeadline: Duration
    private let clock: any Clock<Duration>
    private let state: Mutex<State>

    /// The server owns the model from now on.
    ///
    /// - Parameters:
    ///   - copies: runs at once, at least 1.
    ///   - timers: must be running for requests that wait to be put together.
    ///   - closeDeadline: how long closing waits for runs before it leaves them behind.
    ///   - onFailure: called from any thread whenever a copy hung or could not be opened.
    init(
        model: any TensorModel,
        copies: Int = 1,
        workers: TensorWorkers,
        timers: Timers,
        closeDeadline: Duration = .seconds(5),
        clock: any Clock<Duration> = ContinuousClock(),
        abandonedCalls: AbandonedCalls = AbandonedCalls(),
        onFailure: @escaping @Sendable () -> Void = {}
    ) {
        self.description = model.description
        self.model = model
        self.workers = workers
        self.timers = timers
        self.abandonedCalls = abandonedCalls
        self.closeDeadline = closeDeadline
        self.clock = clock
        self.onFailure = onFailure
        self.isRowWise = Atomic(TensorBatch.isPossible(model.signature))
        self.state = Mutex(State(copies: copies))
    }

    deinit {
        self.endAll()
    }

    func withState<Result>(_ body: (inout sending State) throws -> sending Result) rethrows -> Result {
        try self.state.withLock { try body(&$0) }
    }

    // MARK: Requests

    package func run(_ inputs: [Tensor], outputs: [String]) async throws -> [Tensor] {
        try await self.run(inputs, outputs: outputs, options: TensorRunOptions()).outputs
    }

    /// Computes outputs when the request's turn comes. Throws what ``TensorService/run(_:outputs:)`` throws, and the
    /// ``EarlyEnd`` of the options' signal.
    func run(_ inputs: [Tensor], outputs: [String], options: TensorRunOptions) async throws -> TensorRunResult {
        // Before it joins others, so that it cannot spoil them.
        _ = try self.model.signature.check(inputs, outputs: outputs)
        let request = TensorBatcher.Request(
            id: self.makeRequestID(),
            priority: options.priority,
            joining: self.joining(of: inputs, by: options.batching)
        )
        let member = TensorBatch.Member(inputs: inputs, outputs: outputs)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { caller in
                self.submit(request, member, caller)
                if Task.isCancelled { self.end(request.id, with: CancellationError()) }
                options.signal?.listen { [weak self] reason in self?.end(request.id, with: reason) }
            }
        } onCancel: {
            self.end(request.id, with: CancellationError())
        }
    }

    private func makeRequestID() -> RequestID {
        self.withState { state in
            state.nextRequest += 1
            return state.nextRequest
        }
    }

    private func joining(of inputs: [Tensor], by batching: EndpointSpec.Batching?) -> TensorBatcher.Joining? {
        guard let batching, batching.maxSize > 1, self.isRowWise.load(ordering: .relaxed) else { return nil }
        guard let (rows, layout) = TensorBatch.layout(of: inputs, signature: self.model.signature) else { return nil }
        return TensorBatcher.Joining(
            layout: layout,
            rows: rows,
            maxRows: batching.maxSize,
            maxDelay: batching.maxDelay.duration
        )
    }

    private func submit(_ request: TensorBatcher.Request, _ member: TensorBatch.Member, _ caller: Caller) {
        let now = self.timers.now
        let work = self.withState { state -> Work in
            guard state.readyCopies > 0 else {
                let failure = state.isClosing ? nil : state.lastFailure
                return Work(refused: [(caller, failure ?? MartletError.aborted)])
            }
            state.jobs[request.id] = Job(member: member, arrival: now, rows: request.joining?.rows, caller: caller)
            return state.receive(.arrived(request), at: now)
        }
        self.workers.perform(self.turns(work))
    }

    /// Ends a request for its caller at once; a run of which nobody wants anything any more is aborted.
    private func end(_ id: RequestID, with error: any Error) {
        let now = self.timers.now
        let (job, session, work) = self.withState { state -> (Job?, (any TensorSession)?, Work) in
            guard let job = state.jobs.removeValue(forKey: id) else { return (nil, nil, Work()) }
            guard let run = job.run else { return (job, nil, state.receive(.left(id), at: now)) }
            state.flights[run]?.wanted -= 1
            let flight = state.flights[run]
            return (job, flight?.wanted == 0 ? flight?.session : nil, Work())
        }
        session?.abort()
        job?.caller.resume(throwing: error)
        self.workers.perform(self.turns(work))
    }

    /// Does what a change of the state asks for, but for the runs, which it returns.
    func turns(_ work: Work) -> [TensorWorkers.Turn] {
        for (caller, error) in work.refused { caller.resume(throwing: error) }
        if let alarm = work.alarm {
            self.timers.set(at: alarm) { [weak self] in self?.timePassed(alarm) }
        }
        return work.runs.map { run in TensorWorkers.Turn { self.conduct(run) } }
    }

    private func timePassed(_ alarm: Duration) {
        let now = max(self.timers.now, alarm)
        let work = self.withState { state in
            if state.alarm == alarm { state.alarm = nil }
            return state.receive(.timePassed, at: now)
        }
        self.workers.perform(self.turns(work))
    }

    /// Requests that wait for a run.
    var waiting: Int { self.withState { $0.jobs.values.count { $0.run == nil } } }

    // MARK: Copies

    /// Runs that can be under way at once.
    package var readyCopies: Int { self.withState { $0.readyCopies } }

    /// Why a copy failed, most recently.
    package var lastFailure: MartletError? { self.withState { $0.lastFailure } }

    /// Bytes in use: the weights once, and every session that is open, left behind or not.
    package var memoryBytes: Int64 {
        let sessions = self.withState { $0.openSessions }
        return self.description.weightBytes + Int64(sessions) * self.description.sessionBytes
    }

    /// Lets so many runs be under way at once, whatever failed before.
    func setCopies(_ copies: Int) {
        let now = self.timers.now
        let work = self.withState { state in
            state.copies = copies
            state.failedCopies = 0
            return state.receive(.allowed(state.readyCopies), at: now)
        }
        self.workers.perform(self.turns(work))
    }

    // MARK: Closing

    /// Gives everything back, memory included. Requests end with `Aborted`. A run that does not come back before the
    /// deadline is left behind and counted; what it holds is given back should it ever return.
    package func close() async {
        self.endAll()
        guard await !self.hasLanded.wait(atMost: self.closeDeadline, clock: self.clock) else { return }
        for run in self.withState({ Array($0.flights.keys) }) {
            self.leaveBehind(run, .hung(deadline: self.closeDeadline))
        }
    }

    private func endAll() {
        let (jobs, aborted, closed) = self.withState { state in
            state.isClosing = true
            let jobs = Array(state.jobs.values)
            let aborted = state.flights.values.compactMap(\.session)
            let closed = state.idle
            state.openSessions -= closed.count
            state.jobs = [:]
            state.idle = []
            for run in state.flights.keys { state.flights[run]?.wanted = 0 }
            if state.flights.isEmpty { self.hasLanded.open() }
            return (jobs, aborted, closed)
        }
        for job in jobs { job.caller.resume(throwing: MartletError.aborted) }
        for session in aborted { session.abort() }
        for session in closed { session.close() }
        self.closeModelIfDue()
    }

    /// Closes the model once nobody can use it any more: what a run that hangs may still read is never taken from it.
    func closeModelIfDue() {
        if self.withState({ $0.mustClose() }) { self.model.close() }
    }
}
