internal import Planning
internal import Schema
internal import Synchronization

// Runs, on the threads of workers.
extension TensorModelServer {
    /// Makes a run; returns the turns that can follow.
    func conduct(_ run: TensorRun) -> [TensorWorkers.Turn] {
        let began = self.timers.now
        let session: any TensorSession
        do {
            session = try self.session(for: run)
        } catch {
            let failure = error as? MartletError ?? MartletError("SessionFailed", "\(error)", cause: error)
            return self.land(run, nil, isUsable: false, run.requests.map { _ in .failure(failure) }, failure)
        }
        let (answers, isUsable) = self.compute(run, on: session)
        let ran = self.timers.now - began
        let results = answers.enumerated().map { index, answer in
            answer.map { outputs in
                TensorRunResult(
                    outputs: outputs,
                    waited: began - run.arrivals[index],
                    ran: ran,
                    batchRows: index == 0 ? run.rows : nil
                )
            }
        }
        return self.land(run, session, isUsable: isUsable, results, nil)
    }

    /// The idle session that was used last, or a new one.
    private func session(for run: TensorRun) throws -> any TensorSession {
        let idle = self.withState { state -> (any TensorSession)? in
            guard let session = state.idle.popLast() else {
                state.openSessions += 1
                return nil
            }
            state.unused = min(state.unused, state.idle.count)
            return session
        }
        let session: any TensorSession
        do {
            session = try idle ?? run.pulse.during { try self.model.makeSession() }
        } catch {
            self.withState { $0.openSessions -= 1 }
            throw error
        }
        let isWanted = self.withState { state in
            state.flights[run.id]?.session = session
            return state.flights[run.id].map { $0.wanted > 0 } ?? false
        }
        // Nobody could abort it before it was known.
        if !isWanted { session.abort() }
        return session
    }

    /// The outputs of each request, and whether the session can be used again.
    private func compute(
        _ run: TensorRun,
        on session: any TensorSession
    ) -> ([Result<[Tensor], any Error>], isUsable: Bool) {
        if run.members.count > 1, self.isRowWise.load(ordering: .relaxed),
            let answers = self.computeTogether(run, on: session)
        {
            return (answers.map { .success($0) }, true)
        }
        var isUsable = true
        let answers = zip(run.requests, run.members).map { id, member -> Result<[Tensor], any Error> in
            guard self.withState({ $0.jobs[id] != nil }) else { return .failure(CancellationError()) }
            do {
                let outputs = try run.pulse.during { try session.run(member.inputs, outputs: member.outputs) }
                if !TensorBatch.areRows(of: member.inputs, outputs) { self.isRowWise.store(false, ordering: .relaxed) }
                return .success(outputs)
            } catch {
                if (error as? MartletError)?.code != "TensorInvalid" { isUsable = false }
                return .failure(error)
            }
        }
        return (answers, isUsable)
    }

    /// The outputs of requests that run together; nil where that fails: then each must run alone.
    private func computeTogether(_ run: TensorRun, on session: any TensorSession) -> [[Tensor]]? {
        let batch = TensorBatch(run.members, signature: self.model.signature)
        let outputs = try? run.pulse.during { try session.run(batch.inputs, outputs: batch.outputs) }
        guard let outputs else { return nil }
        let answers = batch.split(outputs)
        if answers == nil { self.isRowWise.store(false, ordering: .relaxed) }
        return answers
    }

    /// Ends a run and gives its answers to whoever still wants them; returns the turns that can follow.
    ///
    /// - Parameter failure: why there is no session.
    private func land(
        _ run: TensorRun,
        _ session: (any TensorSession)?,
        isUsable: Bool,
        _ results: [Result<TensorRunResult, any Error>],
        _ failure: MartletError?
    ) -> [TensorWorkers.Turn] {
        let now = self.timers.now
        let (callers, work, isOver) = self.withState { state -> ([Caller?], Work, Bool?) in
            let flight = state.flights.removeValue(forKey: run.id)
            let isKept = isUsable && !state.isClosing && flight.map { $0.wanted > 0 } ?? false
            if let session {
                if isKept { state.idle.append(session) } else { state.openSessions -= 1 }
            }
            // Its requests have had their answers when it was left behind.
            guard flight != nil else { return ([], Work(), nil) }
            let callers = run.requests.map { state.jobs.removeValue(forKey: $0)?.caller }
            if state.isClosing, state.flights.isEmpty { self.hasLanded.open() }
            return (callers, state.end(failure, at: now), !isKept)
        }
        for (caller, result) in zip(callers, results) { caller?.resume(with: result) }
        if isOver != false { session?.close() }
        if isOver == nil {
            self.abandonedCalls.returnLate()
            self.workers.returnLate()
        }
        self.closeModelIfDue()
        if failure != nil, isOver != nil { self.onFailure() }
        return self.turns(work)
    }

    // MARK: Watching

    /// Leaves runs behind that have been going on for longer than the deadline.
    ///
    /// - Parameter now: on a time line that all calls share.
    func checkForHangs(now: Duration, deadline: Duration) {
        let hung = self.withState { state in
            state.flights.keys.filter { run in
                let pulse = state.flights[run]?.pulse.value ?? 0
                return state.flights[run]?.hangDetector.isHung(pulse: pulse, now: now, deadline: deadline) == true
            }
        }
        for run in hung { self.leaveBehind(run, .hung(deadline: deadline)) }
    }

    /// Leaves a run behind with its thread: its requests fail, and its copy counts as failed.
    func leaveBehind(_ id: RequestID, _ error: MartletError) {
        let now = self.timers.now
        let (flight, jobs, work, isNews) = self.withState { state -> (Flight?, [Job], Work, Bool) in
            guard let flight = state.flights.removeValue(forKey: id) else { return (nil, [], Work(), false) }
            return (flight, state.takeJobs(ofRun: id), state.end(error, at: now), !state.isClosing)
        }
        guard let flight else { return }
        self.abandonedCalls.leaveBehind()
        self.workers.leaveBehind()
        flight.session?.abort()
        for job in jobs { job.caller.resume(throwing: error) }
        self.workers.perform(self.turns(work))
        if isNews { self.onFailure() }
    }

    /// Closes the sessions that nobody has needed since the call before.
    func closeIdleSessions() {
        let unused = self.withState { state in
            let unused = Array(state.idle.prefix(state.unused))
            state.idle.removeFirst(unused.count)
            state.openSessions -= unused.count
            state.unused = state.idle.count
            return unused
        }
        for session in unused { session.close() }
    }
}
