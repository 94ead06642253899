internal import Planning
internal import Schema

extension TensorModelServer {
    typealias RequestID = TensorBatcher.RequestID
    typealias Caller = CheckedContinuation<TensorRunResult, any Error>

    /// A request that waits or runs.
    struct Job {
        var member: TensorBatch.Member
        var arrival: Duration
        /// Nil where it is put together with nothing.
        var rows: Int?
        var caller: Caller
        /// The run that it is part of.
        var run: RequestID?
    }

    /// A run that is under way.
    struct Flight {
        /// How many of its requests are still wanted.
        var wanted: Int
        /// Nil until it is open.
        var session: (any TensorSession)?
        var hangDetector = HangDetector()
        let pulse: TensorRun.Pulse
    }

    /// What a change of the state asks for, outside of the lock.
    struct Work {
        var runs: [TensorRun] = []
        /// A timer to set for the batcher.
        var alarm: Duration?
        var refused: [(Caller, MartletError)] = []
    }

    struct State {
        var batcher: TensorBatcher
        var jobs: [RequestID: Job] = [:]
        var nextRequest: RequestID = 0
        /// By the first request of each.
        var flights: [RequestID: Flight] = [:]
        /// Sessions without a run, the one that was used last at the end.
        var idle: [any TensorSession] = []
        /// How many of them nobody has needed since the last look.
        var unused = 0
        /// Idle ones, those of runs, and those that were left behind.
        var openSessions = 0
        var copies: Int
        /// Copies that hung, or whose session could not be opened.
        var failedCopies = 0
        var lastFailure: MartletError?
        /// When the batcher's timer rings.
        var alarm: Duration?
        var isClosing = false
        private var isClosed = false

        init(copies: Int) {
            self.batcher = TensorBatcher(allowed: copies)
            self.copies = copies
        }

        var readyCopies: Int { self.isClosing ? 0 : max(0, self.copies - self.failedCopies) }

        /// Whether now is the moment to close the model; says so once.
        mutating func mustClose() -> Bool {
            guard self.isClosing, self.openSessions == 0, !self.isClosed else { return false }
            self.isClosed = true
            return true
        }
    }
}

extension TensorModelServer.State {
    typealias RequestID = TensorBatcher.RequestID

    /// Gives an event to the batcher, and begins the runs that it decides on.
    mutating func receive(_ event: TensorBatcher.Event, at now: Duration) -> TensorModelServer.Work {
        var work = TensorModelServer.Work()
        guard !self.isClosing else { return work }
        for requests in self.batcher.receive(event, at: now) { work.runs.append(self.begin(requests)) }
        if let wakeUp = self.batcher.wakeUp, self.alarm.map({ wakeUp < $0 }) ?? true {
            self.alarm = wakeUp
            work.alarm = wakeUp
        }
        return work
    }

    /// Counts a run as ended, and its copy as failed where there is an error; without any copy left, whoever waits is
    /// refused.
    mutating func end(_ error: MartletError?, at now: Duration) -> TensorModelServer.Work {
        guard let error else { return self.receive(.ended, at: now) }
        self.lastFailure = error
        self.failedCopies += 1
        var work = self.receive(.lost(allowed: self.readyCopies), at: now)
        guard self.readyCopies == 0 else { return work }
        for (id, job) in self.jobs where job.run == nil {
            self.jobs[id] = nil
            _ = self.receive(.left(id), at: now)
            work.refused.append((job.caller, error))
        }
        return work
    }

    /// Takes the jobs of a run that is left behind.
    mutating func takeJobs(ofRun run: RequestID) -> [TensorModelServer.Job] {
        let ids = self.jobs.filter { $0.value.run == run }.keys
        return ids.compactMap { self.jobs.removeValue(forKey: $0) }
    }

    private mutating func begin(_ requests: [RequestID]) -> TensorRun {
        var run = TensorRun(id: requests[0])
        for id in requests {
            guard let job = self.jobs[id] else { continue }
            self.jobs[id]?.run = run.id
            run.requests.append(id)
            run.members.append(job.member)
            run.arrivals.append(job.arrival)
            if let rows = job.rows { run.rows = (run.rows ?? 0) + rows }
        }
        self.flights[run.id] = TensorModelServer.Flight(wanted: run.requests.count, pulse: run.pulse)
        return run
    }
}
