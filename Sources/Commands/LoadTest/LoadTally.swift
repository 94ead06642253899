/// What came of the requests of a load test so far. Only requests behind the warm-up count.
struct LoadTally: Sendable {
    /// Why a request counts as failed.
    struct Failure: Sendable, Hashable {
        /// Nil where no answer began.
        var status: Int?
        /// The error's code in the answer, or a word for what broke the connection; nil: the answer names none.
        var code: String?
    }

    /// The failures of one sort.
    struct Failures: Sendable, Hashable {
        var count = 0
        /// What the first of them said that said anything.
        var message: String?
    }

    /// One request that has its answer, or never gets one.
    struct Outcome: Sendable {
        var due: LoadSchedule.Due
        var end: LoadTime
        var failure: Failure?
        /// What the answer says of its failure, for people; shortened.
        var message: String?
        /// Nil where the answer does not say; then pieces of text are counted.
        var tokens: Int?
        /// When the pieces of a streamed answer's text came.
        var texts: [LoadTime] = []
        /// Of the answer's body.
        var bytes = 0
    }

    private(set) var succeeded = 0
    private(set) var failures: [Failure: Failures] = [:]
    private(set) var tokens = 0
    private(set) var bytes = 0
    private(set) var latency = LatencyHistogram()
    private(set) var firstToken = LatencyHistogram()
    private(set) var gaps = LatencyHistogram()
    /// When the first request that counts was due, and when the last answer came.
    private(set) var span: ClosedRange<LoadTime>?

    var failed: Int { self.failures.values.reduce(0) { $0 + $1.count } }
    var answered: Int { self.succeeded + self.failed }

    /// Takes one outcome; those of the warm-up change nothing.
    mutating func note(_ outcome: Outcome) {
        guard outcome.due.isMeasured else { return }
        let end = max(outcome.end, outcome.due.at)
        self.span = min(self.span?.lowerBound ?? .max, outcome.due.at)...max(self.span?.upperBound ?? end, end)
        self.bytes += outcome.bytes
        if let failure = outcome.failure {
            let message = self.failures[failure]?.message ?? outcome.message
            self.failures[failure, default: Failures()].count += 1
            self.failures[failure]?.message = message
            return
        }
        self.succeeded += 1
        self.latency.record(end - outcome.due.at)
        self.tokens += outcome.tokens ?? outcome.texts.count
        if let first = outcome.texts.first { self.firstToken.record(first - outcome.due.at) }
        for (earlier, later) in zip(outcome.texts, outcome.texts.dropFirst()) { self.gaps.record(later - earlier) }
    }
}
