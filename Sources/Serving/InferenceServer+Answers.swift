internal import Logging
internal import Planning
internal import Schema
internal import Synchronization

extension InferenceServer {
    /// What an answer is made of: gets what the replica has at hand, gives its events away in order.
    typealias Work<Event> =
        @Sendable (
            _ resources: RunnerResources,
            _ trace: RequestTrace,
            _ emit: @escaping @Sendable (Event) -> Void
        ) async throws -> Void

    /// A request that has its seat.
    struct Admitted<Work: Sendable>: Sendable {
        var requestID: String
        var route: RoutingSnapshot.Route
        var seat: Runner.Seat
        var work: Work
        var meter: AnswerMeter
        /// Nil where nobody keeps records.
        var draft: RecordDraft?
        var trace: RequestTrace
        /// What is kept of it.
        var log: EndpointSpec.Log
        /// What the writes of a repeated request came to; nil for a caller's own.
        var recorded: RecordedEffects?
        /// Runs the answer's task; nil: any thread does.
        var executor: (any TaskExecutor)?

        var stamp: AnswerStamp { self.route.stamp }
    }

    /// How a request waits for its seat.
    struct Waiting: Sendable {
        var priority = RequestPriority.normal
        /// How long it may take in all, where that is less than the endpoint allows.
        var timeout: Duration?
        /// How many requests share a place of the model.
        var sharing: @Sendable (EndpointSettings) -> Int = { _ in 1 }
    }

    /// About as many bytes as an event takes beside its content.
    private static let eventSize = 64

    /// Routes a call, waits for a seat and begins the answer; returns when its first event is there.
    ///
    /// - Parameter prepare: checks the request against what the revision does, before it waits.
    func answer<Body: RecordedBody, Event: AnswerEvent>(
        _ call: EndpointCall<Body>,
        prepare: (RunnerProgram) throws(CallError) -> Work<Event>
    ) async throws -> (AnswerStamp, AsyncThrowingStream<Event, any Error>) {
        let admitted = try await self.admit(call, recording: call.body) { program throws(CallError) in
            try prepare(program)
        }
        // Bounded by bytes; a bound of its own makes the stream say how many events are unread.
        let (events, output) = AsyncThrowingStream<Event, any Error>.makeStream(bufferingPolicy: .bufferingOldest(.max))
        let unread = UnreadBytes(limit: self.unreadLimit)
        let (opened, opening) = AsyncThrowingStream<Never, any Error>.makeStream()
        output.onTermination = { termination in
            if case .cancelled = termination { admitted.seat.signal.end(.callerLeft) }
        }
        self.begin(admitted) { event in
            guard !unread.isOver else { return }
            let size = event.contentSize + Self.eventSize
            if case .enqueued(let rest) = output.yield(event), unread.add(size, unread: .max - rest) {
                admitted.seat.signal.end(.callerFellBehind)
            }
            opening.finish()
        } finish: { error in
            opening.finish(throwing: error)
            output.finish(throwing: error)
        }
        for try await _ in opened {}
        try Task.checkCancellation()
        return (admitted.stamp, events)
    }

    /// The same for a caller that wants the whole answer: gives its events away, and returns when it is complete. What
    /// `receive` throws ends it at once.
    func complete<Body: RecordedBody, Event: AnswerEvent>(
        _ call: EndpointCall<Body>,
        receive: @escaping @Sendable (Event) throws -> Void,
        prepare: (RunnerProgram) throws(CallError) -> Work<Event>
    ) async throws -> AnswerStamp {
        let admitted = try await self.admit(call, recording: call.body) { program throws(CallError) in
            try prepare(program)
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { caller in
                self.begin(admitted, emit: receive) { error in
                    caller.resume(with: error.map { .failure($0) } ?? .success(()))
                }
            }
        } onCancel: {
            admitted.seat.signal.end(.callerLeft)
        }
        return admitted.stamp
    }

    /// Takes a seat by the snapshot in force; a runner that drains by then sends the request on to the next snapshot.
    ///
    /// - Parameters:
    ///   - body: what is asked, to be written down; nil for what leaves no record.
    ///   - prepare: checks the request against what the revision does, before it waits.
    func admit<Body, Work: Sendable>(
        _ call: EndpointCall<Body>,
        recording body: (any RecordedBody)? = nil,
        waiting: Waiting = Waiting(),
        prepare: (RunnerProgram) throws(CallError) -> Work
    ) async throws -> Admitted<Work> {
        let meter = AnswerMeter(clock: self.clock, collector: self.collector)
        let startedAt = self.wallClock.now()
        var wasMoved = false
        while true {
            let snapshot = self.routes
            let route = try snapshot.route(
                to: call.endpoint,
                for: call.caller,
                requestID: call.requestID,
                revision: call.revision
            )
            let draft = self.draft(of: call, body, on: route, startedAt: startedAt, meter)
            let limits = min(route.settings.limits.timeout.duration, waiting.timeout ?? .seconds(Int64.max))
            let patience = min(route.settings.queue.timeout.duration, limits) - meter.stopwatch.elapsed
            do {
                let work = try await self.prepare(route.runner, prepare)
                let admission = try await route.runner.admit(
                    queueLimit: route.settings.queue.limit,
                    patience: max(.zero, patience),
                    wasMoved: wasMoved,
                    priority: call.repeats == nil ? waiting.priority : .background,
                    sharing: waiting.sharing(route.settings)
                )
                switch admission {
                case .seated(let seat):
                    draft?.takeSeat()
                    return Admitted(
                        requestID: call.requestID,
                        route: route,
                        seat: seat,
                        work: work,
                        meter: meter,
                        draft: draft,
                        trace: draft?.trace ?? RequestTrace(meter.stopwatch),
                        log: route.settings.recording(of: call),
                        recorded: call.repeats.map { RecordedEffects($0.steps) },
                        executor: route.runner.graph.onlyAsksServers ? call.executor : nil
                    )
                case .moved:
                    guard self.routes.version > snapshot.version else {
                        throw CallError(
                            .unavailable,
                            "endpoint '\(call.endpoint.name)' is going away or not ready; try again later",
                            retryAfter: 1
                        )
                    }
                    wasMoved = true
                }
            } catch {
                meter.finish(error, on: route.runner.key)
                await self.settleRefused(draft, on: route, under: route.settings.recording(of: call), with: error)
                throw error
            }
        }
    }

    /// Checks a request against what a runner does. A chain is compiled for its first request, and its schemas may look for
    /// patterns for long: nothing for the thread of a connection.
    private func prepare<Work: Sendable>(
        _ runner: Runner,
        _ prepare: (RunnerProgram) throws(CallError) -> Work
    ) async throws -> Work {
        guard runner.graph.serve.chain != nil else { return try prepare(runner.program()) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { try prepare(runner.program()) }
    }

    /// Does the work, in a task of its own, until it is done, the caller leaves, the time is up or the runner's drain
    /// interrupts it; gives the seat back then.
    ///
    /// `finish` is called once, as soon as the end is certain, even if the model takes a while to notice.
    private func begin<Event: AnswerEvent>(
        _ admitted: Admitted<Work<Event>>,
        emit: @escaping @Sendable (Event) throws -> Void,
        finish: @escaping @Sendable ((any Error)?) -> Void
    ) {
        let (timers, signal) = (self.pool.timers, admitted.seat.signal)
        let isOver = Atomic(false)
        // Who has read the last event has the whole answer: it waits until that is written down.
        let last = Mutex<Event?>(nil)
        let limit = admitted.route.settings.limits.timeout
        let timer = self.startTimer(of: admitted, limit: limit.duration)
        let task = self.answers.start(on: admitted.executor) {
            defer {
                signal.close()
                timers.cancel(timer)
                admitted.route.runner.leave(admitted.seat.request)
            }
            let failure: (any Error)?
            do {
                try await admitted.work(self.resources(of: admitted), admitted.trace) { event in
                    admitted.meter.observe(event)
                    admitted.draft?.observe(event)
                    guard event.finalUsage == nil else { return last.withLock { $0 = event } }
                    do {
                        try emit(event)
                    } catch {
                        // Who gets the answer can make nothing of it, and of the rest no more.
                        if !isOver.exchange(true, ordering: .relaxed) {
                            self.settle(admitted, with: CallError(mapping: error), finish: finish)
                        }
                        signal.end(.callerLeft)
                    }
                }
                failure = nil
            } catch {
                // What cancelled work throws says nothing. Where a signal has cancelled it, its reason came first.
                failure = Task.isCancelled ? Self.shuttingDown(.interrupted) : CallError(mapping: error)
            }
            guard !isOver.exchange(true, ordering: .relaxed) else { return }
            var error = await self.settle(admitted, with: failure)
            if error == nil, let event = last.withLock({ $0 }) {
                do { try emit(event) } catch let failure { error = CallError(mapping: failure) }
            }
            finish(error)
        }
        signal.listen { reason in
            if !isOver.exchange(true, ordering: .relaxed) {
                let error = reason.error(limit: "the endpoint allows (\(limit))")
                self.settle(admitted, with: error, finish: finish)
            }
            task?.cancel()
        }
        guard task == nil else { return }
        signal.close()
        timers.cancel(timer)
        admitted.route.runner.leave(admitted.seat.request)
        guard !isOver.exchange(true, ordering: .relaxed) else { return }
        self.settle(admitted, with: Self.shuttingDown(.unavailable), finish: finish)
    }

    /// Ends an answer when its time is up, unless the timer is cancelled before.
    ///
    /// - Parameter limit: since the request came.
    func startTimer<Work>(of admitted: Admitted<Work>, limit: Duration) -> Timers.ID {
        let (timers, signal) = (self.pool.timers, admitted.seat.signal)
        return timers.set(at: timers.now + limit - admitted.meter.stopwatch.elapsed) { signal.end(.timedOut) }
    }

    private func resources<Work>(of admitted: Admitted<Work>) -> RunnerResources {
        let lookups = admitted.route.runner.lookups
        return RunnerResources(
            models: admitted.seat.models,
            knowledge: lookups.knowledge,
            tables: lookups.tables,
            http: self.http,
            programs: self.programs,
            recorded: admitted.recorded
        )
    }

    private static func shuttingDown(_ code: CallError.Code) -> CallError {
        CallError(code, "the server is shutting down", retryAfter: 1)
    }

    /// Counts a finished answer, and logs one that broke off through no fault of the caller.
    func conclude<Work>(_ admitted: Admitted<Work>, with error: (any Error)?) {
        let runner = admitted.route.runner.key
        admitted.meter.finish(error, on: runner)
        for fired in admitted.trace.firedGuards { self.collector.record(fired, on: runner) }
        guard let error = error as? CallError, error.mayPass || error.code == .interrupted || error.detail != nil
        else { return }
        self.logger.warning(
            "answer failed",
            metadata: [
                "request": "\(admitted.requestID)", "runner": "\(runner)", "code": "\(error.code.rawValue)",
                "reason": "\(error.detail ?? error.message)",
            ]
        )
    }
}

extension RevisionGraph {
    /// Whether all that is done for a request is to ask servers elsewhere, which keeps no thread busy. Models in this process
    /// read prompts, and chains render templates and check schemas.
    fileprivate var onlyAsksServers: Bool {
        self.serve.chain == nil && self.models.allSatisfy { $0.instance.upstreams != nil }
    }
}

extension EarlyEnd {
    /// What the caller is told.
    ///
    /// - Parameter limit: what there was time for, in words behind "longer than".
    func error(limit: String) -> any Error {
        switch self {
        case .callerLeft: CancellationError()
        case .callerFellBehind:
            CallError(.interrupted, "the caller has read its answer too slowly: too much of it was left unread")
        case .interrupted:
            CallError(.interrupted, "the revision was taken out of service before its answer was complete")
        case .timedOut: CallError(.timeout, "the request took longer than \(limit)")
        }
    }
}
