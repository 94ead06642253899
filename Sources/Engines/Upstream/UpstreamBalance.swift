internal import Planning
internal import Schema

/// Decides which upstream a request is sent to, when it is tried again, and which upstreams are left alone for a while.
///
/// A pure state machine: whoever uses it tells how attempts ended and what time it is, on a time line of its own. An
/// upstream that fails ``patience`` times in a row, or asks for a pause, cools down: first for a second, twice as long
/// after each further failure, a minute at most. Then a single request goes to it on trial.
struct UpstreamBalance: Sendable {
    /// How an attempt at an upstream ended.
    enum Outcome: Sendable, Hashable {
        case answered
        /// Through the upstream's fault; the pause is what it asked for.
        case failed(pause: Duration?)
        /// The caller left, which says nothing about the upstream.
        case abandoned
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

        fileprivate func takesRequests(at now: Duration) -> Bool {
            guard let restsUntil else { return true }
            return now >= restsUntil && !self.isOnTrial
        }
    }

    /// Failures in a row before an upstream cools down.
    static let patience = 3
    /// The longest cool-down.
    static let longestRest = Duration.seconds(60)
    /// The wait before the first repetition at the same upstream; it doubles with each.
    static let firstWait = Duration.milliseconds(250)

    let rule: ModelSpec.Balance
    private(set) var members: [Member]

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
        case .abandoned:
            break
        case .failed(let pause):
            let failures = self.members[member].failures + 1
            self.members[member].failures = failures
            let rest = failures < Self.patience ? nil : Self.rest(after: failures)
            guard let longest = [rest, pause].compactMap(\.self).max() else { break }
            self.members[member].restsUntil = now + min(longest, Self.longestRest)
        }
        self.members[member].isOnTrial = false
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
        min(.seconds(1) * (1 << min(failures - Self.patience, 6)), Self.longestRest)
    }

    /// Between half of the full wait and all of it, so that those who failed together do not come back together.
    private static func wait(beforeRetry retry: Int, draw: Double) -> Duration {
        Self.firstWait * (1 << min(retry - 1, 6)) * (0.5 + draw / 2)
    }
}
