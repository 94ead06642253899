internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Schema

/// Performs a load test on one event loop, where all its connections and figures live: nothing needs a lock.
final class LoadDriver {
    /// What a load test came to.
    struct Result: Sendable {
        var tally: LoadTally
        /// Requests that were due and never sent.
        var unsent: Int
        /// Whether it was ended before its time.
        var isInterrupted: Bool
    }

    /// How long a client waits behind a connection that it could not have.
    private static let pause = TimeAmount.milliseconds(100)
    /// How often time limits are looked at, and progress is shown.
    private static let beat = TimeAmount.milliseconds(100)

    private let loop: any EventLoop
    private let request: LoadRequest
    private let options: LoadGenerator.Options
    private let tls: NIOSSLContext?
    private let promise: EventLoopPromise<Result>
    private let progress: @Sendable (LoadProgress) -> Void

    private let begun = NIODeadline.now()
    private var schedule: LoadSchedule
    private var tally = LoadTally()
    private var connections: [ObjectIdentifier: LoadConnection] = [:]
    /// Connections without a request; the one that was used last is used next.
    private var free: [LoadConnection] = []
    /// Clients that have no connection yet, or wait until they try again.
    private var connecting = 0
    private var hasEverConnected = false
    private var isInterrupted = false
    private var isOver = false
    /// When the loop will look again by itself; nil: it will not.
    private var alarm: (time: LoadTime, task: Scheduled<Void>)?
    private var heartbeat: RepeatedTask?

    init(
        _ request: LoadRequest,
        _ options: LoadGenerator.Options,
        tls: NIOSSLContext?,
        promise: EventLoopPromise<Result>,
        progress: @escaping @Sendable (LoadProgress) -> Void
    ) {
        self.loop = promise.futureResult.eventLoop
        self.request = request
        self.options = options
        self.tls = tls
        self.promise = promise
        self.progress = progress
        self.schedule = LoadSchedule(pace: options.pace, end: options.end, warmUp: options.warmUp)
    }

    /// Nanoseconds since it began.
    var now: LoadTime { (NIODeadline.now() - self.begun).nanoseconds }

    func start() {
        let me = NIOLoopBound(self, eventLoop: self.loop)
        self.heartbeat = self.loop.scheduleRepeatedTask(initialDelay: Self.beat, delay: Self.beat) { _ in
            me.value.look()
        }
        self.pump()
    }

    /// Ends it now, with what is done.
    func interrupt() {
        self.isInterrupted = true
        self.end()
    }

    // MARK: What connections tell

    /// Counts what came of a request.
    func note(_ outcome: LoadTally.Outcome) {
        guard !self.isOver else { return }
        self.tally.note(outcome)
    }

    /// Gives a connection its next request.
    func isFree(_ connection: LoadConnection) {
        guard !self.isOver else { return }
        self.free.append(connection)
        self.pump()
    }

    func isClosed(_ connection: LoadConnection) {
        self.connections[ObjectIdentifier(connection)] = nil
        self.free.removeAll { $0 === connection }
        guard !self.isOver else { return }
        self.pump()
    }

    // MARK: Sending

    /// Sends all that is due, as far as there are connections, and makes more of those where that helps.
    private func pump() {
        let now = self.now
        while let connection = self.free.last {
            switch self.schedule.next(at: now) {
            case .due(let due):
                self.free.removeLast()
                connection.send(due, at: now)
            case .wait(let time): return self.wake(at: time)
            case .over: return self.endIfDone()
            }
        }
        let room = self.options.concurrency - self.connections.count - self.connecting
        let due = self.schedule.dueCount(at: now, limit: self.options.concurrency)
        for _ in 0..<max(0, min(room, due - self.connecting)) { self.connect() }
        guard self.connections.isEmpty, self.connecting == 0 else { return }
        // Nobody will come back here by itself.
        var schedule = self.schedule
        switch schedule.next(at: now) {
        case .wait(let time): self.wake(at: time)
        case .over: self.endIfDone()
        case .due: break
        }
    }

    /// Looks again when the next request is due.
    private func wake(at time: LoadTime) {
        if let alarm = self.alarm, alarm.time <= time { return }
        self.alarm?.task.cancel()
        let me = NIOLoopBound(self, eventLoop: self.loop)
        let task = self.loop.scheduleTask(deadline: self.begun + .nanoseconds(time)) {
            me.value.alarm = nil
            if !me.value.isOver { me.value.pump() }
        }
        self.alarm = (time, task)
    }

    private func connect() {
        self.connecting += 1
        let (me, request, tls) = (NIOLoopBound(self, eventLoop: self.loop), self.request, self.tls)
        ClientBootstrap(group: self.loop)
            .connectTimeout(.milliseconds(self.options.timeout.milliseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(Self.client(tls, request.target.host)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(LoadConnection(request, of: me.value))
                }
            }
            .connect(host: request.target.host, port: request.target.port)
            .whenComplete { result in me.value.hasConnected(result) }
    }

    /// An address of digits has no name that a certificate could be asked for.
    private static func client(_ context: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        do {
            return try NIOSSLClientHandler(context: context, serverHostname: host)
        } catch let error as NIOSSLExtraError where error == .cannotUseIPAddressInSNI {
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
    }

    private func hasConnected(_ result: Swift.Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            self.connecting -= 1
            guard !self.isOver,
                let connection = try? channel.pipeline.syncOperations.handler(type: LoadConnection.self)
            else { return channel.close(promise: nil) }
            self.hasEverConnected = true
            self.connections[ObjectIdentifier(connection)] = connection
            self.isFree(connection)
        case .failure(let error):
            guard !self.isOver else { return }
            guard self.hasEverConnected else { return self.fail(error) }
            self.missConnection(LoadFailure.word(for: error))
        }
    }

    /// A request has failed for want of a connection; its client tries again a little later.
    private func missConnection(_ word: String) {
        if case .due(let due) = self.schedule.next(at: self.now) {
            self.note(
                LoadTally.Outcome(due: due, end: self.now, failure: LoadTally.Failure(status: nil, code: word))
            )
        }
        let me = NIOLoopBound(self, eventLoop: self.loop)
        self.loop.scheduleTask(in: Self.pause) {
            me.value.connecting -= 1
            if !me.value.isOver { me.value.pump() }
        }
    }

    // MARK: Time and end

    /// Gives up requests that take too long, shows progress, and ends what is done.
    private func look() {
        let now = self.now
        let limit = now - self.options.timeout.milliseconds * 1_000_000
        for connection in self.connections.values {
            if let since = connection.busySince, since < limit { connection.fail(LoadFailure.timeout) }
        }
        self.progress(
            LoadProgress(
                elapsed: now,
                schedule: self.schedule,
                answered: self.tally.answered,
                failed: self.tally.failed
            )
        )
        self.endIfDone()
    }

    private func endIfDone() {
        var schedule = self.schedule
        guard case .over = schedule.next(at: self.now) else { return }
        guard self.connections.values.allSatisfy({ $0.busySince == nil }) else { return }
        self.end()
    }

    private func end() {
        guard !self.isOver else { return }
        self.isOver = true
        self.stop()
        self.promise.succeed(
            Result(tally: self.tally, unsent: self.schedule.unsent(at: self.now), isInterrupted: self.isInterrupted)
        )
    }

    /// Nothing listens there: that is no load test.
    private func fail(_ error: any Error) {
        self.isOver = true
        self.stop()
        self.promise.fail(error)
    }

    private func stop() {
        self.heartbeat?.cancel()
        self.alarm?.task.cancel()
        self.alarm = nil
        for connection in self.connections.values { connection.close() }
    }
}
