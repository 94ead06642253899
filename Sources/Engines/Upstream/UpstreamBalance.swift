internal import Planning
internal import Schema

/// Decides which upstream a request is sent to, when it is tried again, and which upstreams are left alone for a while.
///
/// A pure state machine: whoever uses it tells how attempts ended and what time it is, on a time line of its own. An
/// upstream that fails ``patience`` times in a row, or asks for a pause, cools down: first for a second, twice as long
/// after each further failure, a minute at most. Then probes ask how it is, and requests keep away until one finds it
/// well. Where probes can tell nothing, or nobody makes any, a single request goes to it on trial.
struct UpstreamBalance: Sendable {
    /// How an attempt at an upstream ended.
    enum Outcome: Sendable, Hashable {
        case answered
        /// Through the upstream's fault; the pause is what it asked for.
        case failed(pause: Duration?)
        /// The caller left, which says nothing about the upstream.
        case abandoned
    }

    /// What a probe of an upstream found.
    enum Health: Sendable, Hashable {
        case well
        /// It answers, but does not tell: it knows no such path, or keeps it to others.
        case untold
        /// It answers with an error.
        case ill
        /// It was not reached.
        case away
        /// It has not answered in time. That says less than a request that fails: this machine may be the busy one.
        case silent
    }

    /// What to do for the health of an upstream.
    enum ProbeStep: Sendable, Hashable {
        case probe
        /// Ask again after a wait.
        case wait(Duration)
        /// Its requests tell enough.
        case leave
    }

    /// What to do for a request.
    enum Step: Sendable, Hashable {
        /// Ask an upstream, after a wait.
        case ask(Int, after: Duration)
        /// Every upstream has failed as often as it may.
        case giveUp
    }

    /// How often one request was tried at each upstream.
    struct Attempts: Sendable, Hashable {
        fileprivate(set) var counts: [Int]

        /// Attempts in all.
        var total: Int { self.counts.reduce(0, +) }
    }

    struct Member: Sendable, Hashable {
        let weight: Int
        let retries: Int
        /// Requests under way.
        fileprivate(set) var busy = 0
        /// Failures since the last answer.
        fileprivate(set) var failures = 0
        /// When it may be asked again; nil for one in good health.
        fileprivate(set) var restsUntil: Duration?
        /// Whether the request on trial is under way.
        fileprivate(set) var isOnTrial = false
        /// Whether somebody probes it; until they know more, requests keep away from it once it is out.
        fileprivate(set) var isProbed = false
        fileprivate var evidence = Evidence.none

        init(weight: Int = 1, retries: Int = 2) {
            self.weight = weight
            self.retries = retries
        }

        /// Whether it was left alone after failures, and has not answered since.
        var isOut: Bool { self.restsUntil != nil }

        /// Whether it is cooling down.
        func isResting(at now: Duration) -> Bool {
            self.restsUntil.map { now < $0 } ?? false
        }

        /// Whether its probes still matter: it is out, or has not been heard of.
        fileprivate var isInDoubt: Bool { self.isProbed && (self.isOut || self.evidence == .none) }

        fileprivate func takesRequests(at now: Duration) -> Bool {
            guard let restsUntil else { return true }
            return now >= restsUntil && !self.isOnTrial && !self.isProbed
        }
    }

    /// What speaks for an upstream.
    fileprivate enum Evidence: Sendable, Hashable {
        case none
        case answers
        case probes
        /// Probes alone, and they misled: requests failed all the same.
        case misleadingProbes
    }

    /// Failures in a row before an upstream cools down.
    static let patience = 3
    /// The longest cool-down.
    static let longestRest = Duration.seconds(60)
    /// Failures in a row after which the cool-down is the longest.
    private static let mostFailures = patience + 6
    /// The longest wait between two probes, but for their spread.
    static let longestProbeWait = Duration.seconds(15)
    /// The wait before the first repetition at the same upstream; it doubles with each.
    static let firstWait = Duration.milliseconds(250)

    let rule: ModelSpec.Balance
    private(set) var members: [Member]
    /// Whether upstreams that are out are probed.
    private var isWatched = false

    init(_ rule: ModelSpec.Balance, members: [Member]) {
        self.rule = rule
        self.members = members
    }

    /// The attempts of a new request.
    var noAttempts: Attempts { Attempts(counts: Array(repeating: 0, count: self.members.count)) }

    /// Chooses an upstream for a request's next attempt, and counts the attempt as under way until ``end(_:of:at:)``.
    ///
    /// Upstreams that failed this request less often come first, then those that do not cool down. When all of them do,
    /// the one that is ready first is asked all the same: refusing would help nobody.
    ///
    /// - Parameter draw: from 0 to just below 1: picks by weight, and spreads the waits.
    mutating func next(_ attempts: inout Attempts, draw: @autoclosure () -> Double, at now: Duration) -> Step {
        let open = self.members.indices.filter { attempts.counts[$0] <= self.members[$0].retries }
        guard let fewest = open.map({ attempts.counts[$0] }).min() else { return .giveUp }
        let candidates = open.filter { attempts.counts[$0] == fewest }
        let healthy = candidates.filter { self.members[$0].takesRequests(at: now) }
        guard let chosen = self.pick(from: healthy, draw: draw()) ?? self.nextReady(of: candidates) else {
            return .giveUp
        }
        attempts.counts[chosen] += 1
        self.members[chosen].busy += 1
        if self.members[chosen].restsUntil != nil { self.members[chosen].isOnTrial = true }
        return .ask(chosen, after: fewest == 0 ? .zero : Self.wait(beforeRetry: fewest, draw: draw()))
    }

    /// Takes in how an attempt ended.
    mutating func end(_ outcome: Outcome, of member: Int, at now: Duration) {
        self.members[member].busy -= 1
        switch outcome {
        case .answered:
            self.members[member].failures = 0
            self.members[member].restsUntil = nil
            self.members[member].evidence = .answers
        case .abandoned:
            break
        case .failed(let pause):
            let failures = self.members[member].failures + 1
            self.members[member].failures = failures
            let rest = failures < Self.patience ? nil : Self.rest(after: failures)
            guard let longest = [rest, pause].compactMap(\.self).max() else { break }
            self.members[member].restsUntil = now + min(longest, Self.longestRest)
            if self.members[member].evidence == .probes { self.members[member].evidence = .misleadingProbes }
            if self.isWatched { self.members[member].isProbed = true }
        }
        self.members[member].isOnTrial = false
    }

    /// Has every upstream probed: now, and whenever it is out.
    mutating func beginProbing() {
        self.isWatched = true
        for member in self.members.indices { self.members[member].isProbed = true }
    }

    /// What is next for an upstream that is probed. It is no longer after ``ProbeStep/leave``.
    ///
    /// - Parameter draw: from 0 to just below 1: spreads the waits.
    mutating func nextProbe(of member: Int, draw: @autoclosure () -> Double, at now: Duration) -> ProbeStep {
        guard self.members[member].isInDoubt else {
            self.members[member].isProbed = false
            return .leave
        }
        guard let rest = self.members[member].restsUntil, now < rest else { return .probe }
        return .wait((rest - now) * (1 + draw() / 4))
    }

    /// Takes in what a probe found.
    mutating func end(_ health: Health, of member: Int, at now: Duration) {
        // A request was faster.
        guard self.members[member].isInDoubt else { return }
        switch health {
        case .well where self.members[member].evidence != .misleadingProbes:
            // The failures stay: should this be wrong, the next one ends it.
            self.members[member].evidence = self.members[member].isOut ? .probes : .answers
            self.members[member].restsUntil = nil
        case .well, .untold:
            self.tryOut(member, at: now)
        case .ill where self.members[member].failures >= Self.mostFailures:
            // What stays ill may be no more than the path of the probes.
            self.tryOut(member, at: now)
        case .silent where !self.members[member].isOut:
            self.tryOut(member, at: now)
        case .ill, .away, .silent:
            let failures = max(self.members[member].failures + 1, Self.patience)
            self.members[member].failures = failures
            self.members[member].restsUntil = now + min(Self.rest(after: failures), Self.longestProbeWait)
        }
    }

    /// Leaves it to a request to find out how an upstream is.
    private mutating func tryOut(_ member: Int, at now: Duration) {
        if self.members[member].restsUntil != nil { self.members[member].restsUntil = now }
        self.members[member].isProbed = false
    }

    private func pick(from candidates: [Int], draw: @autoclosure () -> Double) -> Int? {
        switch self.rule {
        case .order: return candidates.first
        case .leastBusy:
            return candidates.min { first, second in
                let (one, other) = (self.members[first], self.members[second])
                return one.busy * other.weight < other.busy * one.weight
            }
        case .weight:
            guard candidates.count > 1 else { return candidates.first }
            var point = draw() * Double(candidates.reduce(0) { $0 + self.members[$1].weight })
            for candidate in candidates {
                point -= Double(self.members[candidate].weight)
                if point < 0 { return candidate }
            }
            return candidates.last
        }
    }

    private func nextReady(of candidates: [Int]) -> Int? {
        candidates.min { (self.members[$0].restsUntil ?? .zero) < (self.members[$1].restsUntil ?? .zero) }
    }

    private static func rest(after failures: Int) -> Duration {
        min(.seconds(1) * (1 << (min(failures, Self.mostFailures) - Self.patience)), Self.longestRest)
    }

    /// Between half of the full wait and all of it, so that those who failed together do not come back together.
    private static func wait(beforeRetry retry: Int, draw: Double) -> Duration {
        Self.firstWait * (1 << min(retry - 1, 6)) * (0.5 + draw / 2)
    }
}
