internal import Planning
internal import Schema
internal import Synchronization

/// The upstreams of one model at work: sends each request where the balance says, and tells it how that went.
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
    private let stopwatch: Stopwatch
    private let state: Mutex<State>

    /// - Parameters:
    ///   - clock: measures waits and cool-downs.
    ///   - random: gives numbers from 0 to just below 1.
    init(
        _ upstreams: UpstreamSet,
        endpoints: [UpstreamEndpoint],
        clock: any Clock<Duration>,
        random: @escaping @Sendable () -> Double
    ) {
        self.endpoints = endpoints
        self.clock = clock
        self.random = random
        self.stopwatch = Stopwatch(clock)
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

    /// Has `changed` called whenever an upstream begins to cool down or answers again.
    func watch(_ changed: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.changed = changed }
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
        let changed = self.state.withLock { state in
            let wasOut = state.balance.members[member].isOut
            state.balance.end(outcome, of: member, at: now)
            state.counters[member].note(outcome, failure)
            return state.balance.members[member].isOut == wasOut ? nil : state.changed
        }
        changed?()
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
