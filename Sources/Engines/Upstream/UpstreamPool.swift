internal import Planning
internal import Schema
internal import Synchronization

/// The upstreams of one model at work: sends each request where the balance says, probes those that are out, and tells it
/// how that went.
final class UpstreamPool: Sendable {
    fileprivate struct State {
        var balance: UpstreamBalance
        var counters: [UpstreamObservation]
        /// Told when an upstream begins to cool down or answers again.
        var changed: (@Sendable () -> Void)?
    }

    let endpoints: [UpstreamEndpoint]
    private let clock: any Clock<Duration>
    private let random: @Sendable () -> Double
    private let probe: UpstreamProbe
    private let stopwatch: Stopwatch
    private let state: Mutex<State>
    /// Upstreams that are to be probed from now on.
    private let doubts: AsyncStream<Int>
    private let doubt: AsyncStream<Int>.Continuation

    /// - Parameters:
    ///   - probe: asks an upstream how it is.
    ///   - clock: measures waits and cool-downs.
    ///   - random: gives numbers from 0 to just below 1.
    init(
        _ upstreams: UpstreamSet,
        endpoints: [UpstreamEndpoint],
        probe: UpstreamProbe,
        clock: any Clock<Duration>,
        random: @escaping @Sendable () -> Double
    ) {
        self.endpoints = endpoints
        self.probe = probe
        self.clock = clock
        self.random = random
        self.stopwatch = Stopwatch(clock)
        (self.doubts, self.doubt) = AsyncStream.makeStream()
        let members = upstreams.members.map { UpstreamBalance.Member(weight: $0.weight, retries: $0.retries) }
        self.state = Mutex(
            State(
                balance: UpstreamBalance(upstreams.balance, members: members),
                counters: upstreams.members.map { UpstreamObservation(url: $0.url) }
            )
        )
    }

    /// What the upstreams are like now, in the manifest's order.
    var observations: [UpstreamObservation] {
        self.state.withLock { state in
            zip(state.counters, state.balance.members).map { counter, member in
                var observation = counter
                observation.inFlight = member.busy
                observation.isCoolingDown = member.isOut
                return observation
            }
        }
    }

    /// Probes the upstreams, each at once and then whenever it is out, until ``close()`` or until the task is cancelled;
    /// `changed` is called whenever one of them begins to cool down or answers again.
    func watch(_ changed: @escaping @Sendable () -> Void) async {
        self.state.withLock { state in
            state.changed = changed
            state.balance.beginProbing()
        }
        for member in self.endpoints.indices { self.doubt.yield(member) }
        await withDiscardingTaskGroup { group in
            for await member in self.doubts {
                group.addTask { await self.probe(member) }
            }
            group.cancelAll()
        }
    }

    /// Ends ``watch(_:)``.
    func close() {
        self.doubt.finish()
    }

    /// Asks an upstream how it is, again and again, until its requests can tell.
    private func probe(_ member: Int) async {
        var step = self.state.withLock { self.nextProbe(of: member, in: &$0) }
        while true {
            do {
                switch step {
                case .leave: return
                case .wait(let wait):
                    try await self.clock.sleep(for: wait)
                    step = self.state.withLock { self.nextProbe(of: member, in: &$0) }
                case .probe:
                    let (health, failure) = try await self.probe.ask(self.endpoints[member])
                    step = self.update(member) { state in
                        state.balance.end(health, of: member, at: self.stopwatch.elapsed)
                        if state.balance.members[member].isOut, let failure {
                            state.counters[member].lastFailure = failure.message
                        }
                        // In the same breath: what fails from now on finds somebody who probes, or begins to.
                        return self.nextProbe(of: member, in: &state)
                    }
                }
            } catch {
                return
            }
        }
    }

    private func nextProbe(of member: Int, in state: inout State) -> UpstreamBalance.ProbeStep {
        state.balance.nextProbe(of: member, draw: self.random(), at: self.stopwatch.elapsed)
    }

    /// Makes attempts at a request until one succeeds, none is left, the fault is the request's own, or a part of an
    /// answer was given away: what a caller has seen cannot be taken back. Throws the last attempt's error.
    ///
    /// - Parameter attempt: asks one upstream; it says whether a failure came too late for another attempt.
    func ask<Answer>(
        _ attempt: (UpstreamEndpoint) async throws -> Answer,
        isTooLate: () -> Bool = { false }
    ) async throws -> Answer {
        var attempts = self.state.withLock { $0.balance.noAttempts }
        var lastFailure: any Error = UpstreamFailure(.unavailable, "no upstream may be asked")
        while true {
            let now = self.stopwatch.elapsed
            let step = self.state.withLock { $0.next(&attempts, draw: self.random(), at: now) }
            guard case .ask(let member, let wait) = step else { throw lastFailure }
            do {
                if wait > .zero { try await self.clock.sleep(for: wait) }
                let answer = try await attempt(self.endpoints[member])
                self.end(.answered, of: member)
                return answer
            } catch let failure as UpstreamFailure where failure.isUpstreamsFault {
                self.end(.failed(pause: failure.retryAfter.map { .seconds($0) }), of: member, failure)
                if isTooLate() { throw failure }
                lastFailure = failure
            } catch let failure as UpstreamFailure {
                self.end(.answered, of: member)
                throw failure
            } catch {
                self.end(.abandoned, of: member)
                throw error
            }
        }
    }

    private func end(_ outcome: UpstreamBalance.Outcome, of member: Int, _ failure: UpstreamFailure? = nil) {
        let now = self.stopwatch.elapsed
        self.update(member) { state in
            state.balance.end(outcome, of: member, at: now)
            state.counters[member].note(outcome, failure)
        }
    }

    /// Changes what is known of an upstream, has it probed where that is wanted from now on, and tells who watches when it
    /// is out or in again.
    private func update<Result>(_ member: Int, _ change: (inout State) -> Result) -> Result {
        let (result, changed) = self.state.withLock { state in
            let before = state.balance.members[member]
            let result = change(&state)
            let after = state.balance.members[member]
            if after.isProbed, !before.isProbed { self.doubt.yield(member) }
            return (result, after.isOut == before.isOut ? nil : state.changed)
        }
        changed?()
        return result
    }
}

extension UpstreamPool.State {
    fileprivate mutating func next(
        _ attempts: inout UpstreamBalance.Attempts,
        draw: @autoclosure () -> Double,
        at now: Duration
    ) -> UpstreamBalance.Step {
        let step = self.balance.next(&attempts, draw: draw(), at: now)
        if case .ask(let member, _) = step {
            self.counters[member].requests += 1
            if attempts.total > 1 { self.counters[member].retries += 1 }
        }
        return step
    }
}

extension UpstreamObservation {
    fileprivate mutating func note(_ outcome: UpstreamBalance.Outcome, _ failure: UpstreamFailure?) {
        switch outcome {
        case .answered: self.lastFailure = nil
        case .failed:
            if let failure { self.failures[failure.kind, default: 0] += 1 }
            self.lastFailure = failure?.message
        case .abandoned: break
        }
    }
}
