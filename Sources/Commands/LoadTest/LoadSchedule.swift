internal import Schema

/// Nanoseconds since a load test began.
typealias LoadTime = Int64

/// Says when the requests of a load test are due; a pure function of the time that it is told.
///
/// At a constant rate every request has its moment, whatever became of those before it. What is late is handed out
/// late, with the moment when it was due: measured from there, latency leaves out no waiting ("coordinated omission").
struct LoadSchedule: Sendable, Equatable {
    enum Pace: Sendable, Equatable {
        /// So many requests in each stretch of time, however long answers take.
        case constant(Rate)
        /// Each client sends its next request when it has its answer.
        case closedLoop
    }

    enum End: Sendable, Equatable {
        /// So long after the warm-up.
        case after(ManifestDuration)
        /// After so many requests behind the warm-up.
        case requests(Int)
    }

    /// One request that is to be sent.
    struct Due: Sendable, Equatable {
        var at: LoadTime
        /// False during the warm-up, which no figure counts.
        var isMeasured: Bool
    }

    enum Next: Sendable, Equatable {
        case due(Due)
        /// Nothing is due before then.
        case wait(until: LoadTime)
        /// No request will ever be due again.
        case over
    }

    let pace: Pace
    let end: End
    /// The first moment that counts.
    let warmUp: LoadTime
    /// Requests handed out so far, those of the warm-up included.
    private(set) var handedOut = 0
    /// Those of them that count.
    private(set) var measured = 0

    init(pace: Pace, end: End, warmUp: ManifestDuration) {
        self.pace = pace
        self.end = end
        self.warmUp = warmUp.milliseconds * 1_000_000
    }

    /// The moment that ends the test; nil where a number of requests does.
    var endTime: LoadTime? {
        switch self.end {
        case .after(let duration): self.warmUp + duration.milliseconds * 1_000_000
        case .requests: nil
        }
    }

    /// Hands out the next request if it is due by now.
    mutating func next(at now: LoadTime) -> Next {
        guard let due = self.upcoming(at: now), self.endTime.map({ now < $0 }) ?? true else { return .over }
        guard due <= now else { return .wait(until: due) }
        self.handedOut += 1
        let isMeasured = due >= self.warmUp
        if isMeasured { self.measured += 1 }
        return .due(Due(at: due, isMeasured: isMeasured))
    }

    /// How many requests would be handed out now, one after another, and at most `limit`.
    func dueCount(at now: LoadTime, limit: Int) -> Int {
        guard self.upcoming(at: now) != nil, self.endTime.map({ now < $0 }) ?? true else { return 0 }
        switch self.pace {
        case .closedLoop:
            // During the warm-up there is no end to them.
            guard case .requests(let count) = self.end, now >= self.warmUp else { return limit }
            return min(limit, count - self.measured)
        case .constant:
            var count = 0
            while count < limit, self.moment(of: self.handedOut + count) <= now { count += 1 }
            return count
        }
    }

    /// Requests that count, were due before the end, and have not been handed out.
    func unsent(at now: LoadTime) -> Int {
        guard case .constant = self.pace else { return 0 }
        let end = min(now, self.endTime ?? now)
        let due = self.count(before: end) - self.count(before: self.warmUp)
        switch self.end {
        case .after: return max(0, due - self.measured)
        case .requests(let count): return max(0, min(due, count) - self.measured)
        }
    }

    /// When the next request is due; nil: never.
    private func upcoming(at now: LoadTime) -> LoadTime? {
        if case .requests(let count) = self.end, self.measured >= count { return nil }
        switch self.pace {
        case .closedLoop: return now
        case .constant:
            let due = self.moment(of: self.handedOut)
            if let end = self.endTime, due >= end { return nil }
            return due
        }
    }

    /// When the request with an index is due at a constant rate: computed from the index, so that nothing adds up.
    private func moment(of index: Int) -> LoadTime {
        guard case .constant(let rate) = self.pace else { return 0 }
        let period = rate.per.milliseconds * 1_000_000
        let (whole, rest) = Int64(index).quotientAndRemainder(dividingBy: rate.amount)
        let part = rate.amount.dividingFullWidth(rest.multipliedFullWidth(by: period)).quotient
        return whole * period + part
    }

    /// How many requests are due before a moment.
    private func count(before moment: LoadTime) -> Int {
        guard case .constant(let rate) = self.pace, moment > 0 else { return 0 }
        let period = rate.per.milliseconds * 1_000_000
        let (whole, rest) = moment.quotientAndRemainder(dividingBy: period)
        var index = Int(
            whole * rate.amount + period.dividingFullWidth(rest.multipliedFullWidth(by: rate.amount)).quotient
        )
        while index > 0, self.moment(of: index - 1) >= moment { index -= 1 }
        while self.moment(of: index) < moment { index += 1 }
        return index
    }
}
