internal import Schema

/// What a load test found: the JSON of `martlet loadtest -o json`, documented in the command line's reference.
struct LoadSummary: Sendable, Encodable {
    /// Lengths of time in milliseconds.
    struct Latency: Sendable, Encodable {
        var count: Int
        var min: Double
        var mean: Double
        var p50: Double
        var p90: Double
        var p99: Double
        var p999: Double
        var max: Double
    }

    /// Failures of one sort.
    struct Errors: Sendable, Encodable, Equatable {
        /// Nil where no answer began.
        var status: Int?
        var code: String?
        var count: Int
        /// What the first of them said, shortened; nil where none says anything.
        var message: String?
    }

    struct Requests: Sendable, Encodable, Equatable {
        var answered: Int
        var succeeded: Int
        var failed: Int
        /// Due before the end, and never sent, since no connection was free.
        var unsent: Int
        /// Answered ones in each second.
        var perSecond: Double
    }

    struct Tokens: Sendable, Encodable, Equatable {
        var count: Int
        var perSecond: Double
    }

    var endpoint: String?
    var url: String
    /// Requests that are due in a second; nil for a closed loop.
    var ratePerSecond: Double?
    /// The most connections at once.
    var concurrency: Int
    var warmUpSeconds: Double
    /// From the moment that the first request was due to the last answer.
    var seconds: Double
    var interrupted: Bool
    var requests: Requests
    /// The most frequent first.
    var errors: [Errors]
    /// Of answers that went well, from the moment that their requests were due.
    var latencyMilliseconds: Latency?
    /// The same, to the first piece of a streamed text.
    var firstTokenMilliseconds: Latency?
    /// Between two pieces of a streamed text.
    var gapMilliseconds: Latency?
    var tokens: Tokens?
    /// Of the answers' bodies.
    var bytes: Int

    init(_ result: LoadDriver.Result, of request: LoadRequest, endpoint: String?, options: LoadGenerator.Options) {
        let tally = result.tally
        let span = tally.span.map { Double($0.upperBound - $0.lowerBound) / 1_000_000_000 } ?? 0
        func perSecond(_ count: Int) -> Double { span > 0 ? Double(count) / span : 0 }
        self.endpoint = endpoint
        self.url = request.url
        if case .constant(let rate) = options.pace {
            self.ratePerSecond = Double(rate.amount) * 1000 / Double(rate.per.milliseconds)
        }
        self.concurrency = options.concurrency
        self.warmUpSeconds = Double(options.warmUp.milliseconds) / 1000
        self.seconds = span
        self.interrupted = result.isInterrupted
        self.requests = Requests(
            answered: tally.answered,
            succeeded: tally.succeeded,
            failed: tally.failed,
            unsent: result.unsent,
            perSecond: perSecond(tally.answered)
        )
        self.errors = tally.failures
            .map { Errors(status: $0.key.status, code: $0.key.code, count: $0.value.count, message: $0.value.message) }
            .sorted { ($1.count, $0.status ?? 0, $0.code ?? "") < ($0.count, $1.status ?? 0, $1.code ?? "") }
        self.latencyMilliseconds = tally.latency.figures
        self.firstTokenMilliseconds = tally.firstToken.figures
        self.gapMilliseconds = tally.gaps.figures
        self.tokens = tally.tokens > 0 ? Tokens(count: tally.tokens, perSecond: perSecond(tally.tokens)) : nil
        self.bytes = tally.bytes
    }

    /// Whether everything that was due has been sent and went well, and there was something.
    var isSuccess: Bool {
        self.requests.failed == 0 && self.requests.unsent == 0 && self.requests.succeeded > 0
    }
}
