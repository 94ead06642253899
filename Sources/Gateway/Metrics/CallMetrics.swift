internal import Planning
internal import Serving
internal import Synchronization

/// Tells time for measurements: how long it is since some fixed moment.
package typealias MonotonicTime = @Sendable () -> Duration

/// What callers saw: how long their calls took, when the first text came and how many tokens they cost.
///
/// Names, labels and bounds are those of OpenTelemetry's conventions for generative AI.
package final class CallMetrics: Sendable {
    /// What is asked of an endpoint, in OpenTelemetry's words.
    package enum Operation: String, Sendable, Hashable, Comparable {
        case chat
        case textCompletion = "text_completion"
        case embeddings
        /// A whole chain; the conventions have no word for it but this.
        case chain = "invoke_agent"

        package static func < (lhs: Operation, rhs: Operation) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    private struct Key: Hashable, Comparable {
        var operation: Operation
        var model: String
        /// `error.type` or `gen_ai.token.type`, by metric; empty for none.
        var detail = ""

        static func < (lhs: Key, rhs: Key) -> Bool {
            (lhs.operation, lhs.model, lhs.detail) < (rhs.operation, rhs.model, rhs.detail)
        }
    }

    private struct State {
        var durations: [Key: HistogramCounts] = [:]
        var firstTokens: [Key: HistogramCounts] = [:]
        var tokens: [Key: HistogramCounts] = [:]
    }

    private let time: MonotonicTime
    private let state = Mutex(State())

    package init(time: @escaping MonotonicTime) {
        self.time = time
    }

    /// Begins the measurement of one call of a known endpoint.
    func begin(_ operation: Operation, of endpoint: EndpointName) -> CallTimer {
        CallTimer(
            metrics: self,
            operation: operation,
            model: "\(endpoint.namespace)/\(endpoint.name)",
            start: self.time()
        )
    }

    fileprivate func recordFirstToken(_ timer: CallTimer) {
        let key = Key(operation: timer.operation, model: timer.model)
        let seconds = self.seconds(since: timer.start)
        self.state.withLock {
            $0.firstTokens[key, default: HistogramCounts(bounds: Self.firstTokenBounds)].record(seconds)
        }
    }

    fileprivate func recordEnd(_ timer: CallTimer, usage: TokenUsage?, error: String?) {
        let seconds = self.seconds(since: timer.start)
        let key = Key(operation: timer.operation, model: timer.model, detail: error ?? "")
        self.state.withLock { state in
            state.durations[key, default: HistogramCounts(bounds: Self.durationBounds)].record(seconds)
            guard let usage else { return }
            for (type, count) in [("input", usage.promptTokens), ("output", usage.completionTokens)] {
                let key = Key(operation: timer.operation, model: timer.model, detail: type)
                state.tokens[key, default: HistogramCounts(bounds: Self.tokenBounds)].record(Double(count))
            }
        }
    }

    private func seconds(since start: Duration) -> Double {
        (self.time() - start) / .seconds(1)
    }
}

/// The measurement of one call under way.
struct CallTimer: Sendable {
    fileprivate let metrics: CallMetrics
    fileprivate let operation: CallMetrics.Operation
    fileprivate let model: String
    fileprivate let start: Duration

    /// The first text of the answer is there.
    func firstToken() {
        self.metrics.recordFirstToken(self)
    }

    /// The call is over; `error` is its code where it failed.
    func end(usage: TokenUsage? = nil, error: String? = nil) {
        self.metrics.recordEnd(self, usage: usage, error: error)
    }
}

extension CallMetrics {
    /// Seconds.
    private static let durationBounds = [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    ]
    /// Seconds.
    private static let firstTokenBounds = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]
    /// Powers of 4.
    private static let tokenBounds = (0...13).map { Double(1 << (2 * $0)) }

    /// The present counts as metric families.
    package func families() -> [MetricFamily] {
        let state = self.state.withLock { $0 }
        return [
            Self.family(
                "gen_ai_server_request_duration_seconds",
                "How long calls took, from the request's end to the answer's.",
                state.durations,
                detail: "error_type"
            ),
            Self.family(
                "gen_ai_server_time_to_first_token_seconds",
                "How long callers waited for the first text of an answer.",
                state.firstTokens,
                detail: nil
            ),
            Self.family(
                "gen_ai_client_token_usage",
                "Tokens read and written for one call.",
                state.tokens,
                detail: "gen_ai_token_type"
            ),
        ]
    }

    private static func family(
        _ name: String,
        _ help: String,
        _ histograms: [Key: HistogramCounts],
        detail: String?
    ) -> MetricFamily {
        let samples = histograms.sorted { $0.key < $1.key }.flatMap { key, counts in
            var labels = [
                MetricFamily.Label("gen_ai_operation_name", key.operation.rawValue),
                MetricFamily.Label("gen_ai_provider_name", "martlet"),
                MetricFamily.Label("gen_ai_request_model", key.model),
            ]
            if let detail, !key.detail.isEmpty { labels.append(MetricFamily.Label(detail, key.detail)) }
            return counts.samples(labels: labels)
        }
        return MetricFamily(name: name, help: help, kind: .histogram, samples: samples)
    }
}
