package import Planning
package import Schema
internal import Synchronization

/// Counts of values by size, as Prometheus and OpenTelemetry know them.
package struct Histogram: Sendable, Hashable {
    /// Upper bounds, inclusive, in ascending order.
    package let bounds: [Double]
    /// One more than there are bounds: the last one counts what exceeds all of them. Not cumulative.
    package private(set) var counts: [Int]
    package private(set) var sum: Double = 0

    package init(bounds: [Double]) {
        self.bounds = bounds
        self.counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: Int { self.counts.reduce(0, +) }

    package mutating func record(_ value: Double) {
        self.counts[self.bounds.firstIndex { value <= $0 } ?? self.bounds.count] += 1
        self.sum += value
    }
}

/// What was served since the process started, and what is going on now.
package struct ServingMetrics: Sendable {
    /// One revision of one endpoint's variant.
    package struct Subject: Sendable {
        /// Finished requests by result: `ok`, `cancelled` (the caller left) or a ``CallError/Code``.
        package var requests: [String: Int] = [:]
        package var usage = TokenUsage()
        /// In seconds, of answers that had any text.
        package var timeToFirstToken = Histogram(bounds: ServingMetrics.timeToFirstTokenBounds)
        /// In seconds, of all requests, waiting included.
        package var duration = Histogram(bounds: ServingMetrics.durationBounds)
        /// Tokens read and written for each answer.
        package var inputTokens = Histogram(bounds: ServingMetrics.tokenBounds)
        package var outputTokens = Histogram(bounds: ServingMetrics.tokenBounds)
        /// Guards of prompt templates that fired.
        package var guards: [FiredGuard: Int] = [:]
        /// Of requests for tensors; nil where there was none.
        package var tensors: Tensors?
    }

    /// What guards that fired are counted by.
    package struct FiredGuard: Sendable, Hashable, Comparable {
        /// As a ``GuardRecord`` has them.
        package var place: String
        package var rule: String
        package var action: String

        package init(_ record: GuardRecord) {
            (self.place, self.rule, self.action) = (record.place, record.rule, record.action)
        }

        package static func < (lhs: FiredGuard, rhs: FiredGuard) -> Bool {
            (lhs.place, lhs.rule, lhs.action) < (rhs.place, rhs.rule, rhs.action)
        }
    }

    /// What requests for tensors were like.
    package struct Tensors: Sendable {
        /// From a request's arrival at its model to the beginning of its run, in seconds.
        package var wait = Histogram(bounds: ServingMetrics.runBounds)
        /// The engine's time for the run that a request was part of, in seconds.
        package var run = Histogram(bounds: ServingMetrics.runBounds)
        /// The rows of each batch, where requests are put together.
        package var batchRows = Histogram(bounds: ServingMetrics.rowBounds)
    }

    /// The servers elsewhere that answer for one model.
    package struct Upstreams: Sendable {
        package var model: ResourceIdentity
        /// In the manifest's order.
        package var servers: [UpstreamObservation]

        package init(model: ResourceIdentity, servers: [UpstreamObservation]) {
            self.model = model
            self.servers = servers
        }
    }

    package var subjects: [RunnerKey: Subject] = [:]
    /// Requests on replicas now.
    package var inFlight: [RunnerKey: Int] = [:]
    /// Requests that wait for a replica now.
    package var queued: [RunnerKey: Int] = [:]
    /// Replicas that take requests now.
    package var replicas: [RunnerKey: Int] = [:]
    /// Engine calls that hung and were left behind, since the start.
    package var abandonedCalls = 0
    /// Of these, the ones that still have not returned.
    package var hangingCalls = 0
    package var instances: [InstanceKey: InstanceObservation] = [:]
    package var pool = PoolFigures()
    package var upstreams: [InstanceKey: Upstreams] = [:]

    /// OpenTelemetry's bounds for `gen_ai.server.request.duration`, in seconds.
    package static let durationBounds = [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    ]
    /// OpenTelemetry's bounds for `gen_ai.server.time_to_first_token`, in seconds.
    package static let timeToFirstTokenBounds = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]
    /// In seconds: a small model runs within 10 µs.
    package static let runBounds = [
        0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30,
    ]
    package static let rowBounds: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
    /// OpenTelemetry's bounds for `gen_ai.client.token.usage`, in tokens.
    package static let tokenBounds: [Double] = [
        1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
    ]
}

/// Collects what finished requests were like; one short lock for each request.
final class MetricsCollector: Sendable {
    private struct State {
        var subjects: [RunnerKey: ServingMetrics.Subject] = [:]
        /// Stopped runners whose counts are still shown, oldest first.
        var retired: [RunnerKey] = []
    }

    /// How many stopped runners keep their counts: scrapes still find them, and they do not pile up.
    static let keptRetired = 256

    private let state = Mutex(State())

    /// Everything collected so far.
    var collected: [RunnerKey: ServingMetrics.Subject] { self.state.withLock { $0.subjects } }

    /// Takes one finished request in.
    func record(
        _ result: String,
        of runner: RunnerKey,
        seconds: Double,
        firstTokenAfter: Double?,
        usage: TokenUsage?,
        tensors: TensorRunResult? = nil
    ) {
        self.state.withLock { state in
            state.subjects[runner, default: ServingMetrics.Subject()].record(result, seconds, firstTokenAfter, usage)
            guard let tensors else { return }
            state.subjects[runner]?.tensors.record(tensors)
        }
    }

    /// Counts a guard that fired.
    func record(_ fired: GuardRecord, on runner: RunnerKey) {
        self.state.withLock { state in
            state.subjects[runner, default: ServingMetrics.Subject()].guards[.init(fired), default: 0] += 1
        }
    }

    /// Lets a stopped runner's counts go when newer ones have taken their place.
    func retire(_ runner: RunnerKey) {
        self.state.withLock { state in
            state.retired.removeAll { $0 == runner }
            state.retired.append(runner)
            guard state.retired.count > Self.keptRetired else { return }
            state.subjects[state.retired.removeFirst()] = nil
        }
    }
}

extension ServingMetrics.Subject {
    fileprivate mutating func record(_ result: String, _ seconds: Double, _ firstToken: Double?, _ usage: TokenUsage?) {
        self.requests[result, default: 0] += 1
        self.duration.record(seconds)
        if let firstToken { self.timeToFirstToken.record(firstToken) }
        guard let usage else { return }
        self.usage = self.usage + usage
        self.inputTokens.record(Double(usage.promptTokens))
        self.outputTokens.record(Double(usage.completionTokens))
    }
}

extension ServingMetrics.Tensors? {
    fileprivate mutating func record(_ result: TensorRunResult) {
        var figures = self ?? ServingMetrics.Tensors()
        // Taken out, so that what is changed is not copied.
        self = nil
        if let waited = result.waited { figures.wait.record(waited / .seconds(1)) }
        if let ran = result.ran { figures.run.record(ran / .seconds(1)) }
        if let rows = result.batchRows { figures.batchRows.record(Double(rows)) }
        self = figures
    }
}
