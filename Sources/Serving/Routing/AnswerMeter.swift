internal import Planning
internal import Schema
internal import Synchronization

/// Something that an answer consists of, as far as metrics go.
protocol AnswerEvent: Sendable {
    /// Whether the event carries words of the answer.
    var hasText: Bool { get }
    /// The tokens of the whole answer, on its last event.
    var finalUsage: TokenUsage? { get }
    /// About as many bytes as the event takes in memory, beside what each takes.
    var contentSize: Int { get }
    /// Adds the event to the answer as it is written down.
    func record(in answer: inout RecordedAnswer)
}

extension CompletionEvent: AnswerEvent {
    var hasText: Bool {
        switch self {
        case .text, .toolCall: true
        case .finished: false
        }
    }

    var finalUsage: TokenUsage? {
        switch self {
        case .text, .toolCall: nil
        case .finished(_, let usage): usage
        }
    }

    var contentSize: Int {
        switch self {
        case .text(let text, let logProbabilities):
            text.utf8.count + logProbabilities.reduce(0) { $0 + $1.contentSize }
        case .toolCall(let piece): piece.arguments.utf8.count
        case .finished: 0
        }
    }
}

extension TokenLogProbability {
    fileprivate var contentSize: Int {
        64 + self.text.utf8.count + self.bytes.count + self.alternatives.reduce(0) { $0 + $1.contentSize }
    }
}

extension ChainEvent: AnswerEvent {
    var hasText: Bool {
        switch self {
        case .stepText, .finished: true
        case .stepStarted, .guardFired, .stepFinished, .stepSkipped, .stepFailed: false
        }
    }

    var finalUsage: TokenUsage? {
        switch self {
        case .finished(_, let usage): usage
        case .stepStarted, .stepText, .guardFired, .stepFinished, .stepSkipped, .stepFailed: nil
        }
    }

    var contentSize: Int {
        switch self {
        case .stepText(_, let text): text.utf8.count
        case .stepFinished(_, let output), .finished(let output, _): output.canonicalJSON.utf8.count
        case .guardFired(_, let record): record.detail.utf8.count
        case .stepStarted, .stepSkipped, .stepFailed: 0
        }
    }
}

/// The vectors of one embedding call, on their way to the caller.
struct EmbeddingEvent: AnswerEvent {
    var vectors: [[Float]]
    var usage: TokenUsage

    var hasText: Bool { false }
    var finalUsage: TokenUsage? { self.usage }
    var contentSize: Int { self.vectors.reduce(0) { $0 + 4 * $1.count } }
}

/// Measures one request from its arrival to its end.
final class AnswerMeter: Sendable {
    private struct State {
        var firstTokenAfter: Duration?
        var usage: TokenUsage?
        var tensors: TensorRunResult?
        var isFinished = false
    }

    let stopwatch: Stopwatch
    private let collector: MetricsCollector
    private let state = Mutex(State())

    init(clock: any Clock<Duration>, collector: MetricsCollector) {
        self.stopwatch = Stopwatch(clock)
        self.collector = collector
    }

    func observe(_ event: some AnswerEvent) {
        self.state.withLock { state in
            if event.hasText, state.firstTokenAfter == nil { state.firstTokenAfter = self.stopwatch.elapsed }
            if let usage = event.finalUsage { state.usage = usage }
        }
    }

    func observe(_ result: TensorRunResult) {
        self.state.withLock { state in
            state.tensors = result
            // Only the figures count.
            state.tensors?.outputs = []
        }
    }

    /// Writes the request down, the first time it is called.
    func finish(_ error: (any Error)?, on runner: RunnerKey) {
        let state = self.state.withLock { state in
            defer { state.isFinished = true }
            return state
        }
        guard !state.isFinished else { return }
        self.collector.record(
            error.map(AnswerMeter.result) ?? "ok",
            of: runner,
            seconds: self.stopwatch.elapsed / .seconds(1),
            firstTokenAfter: state.firstTokenAfter.map { $0 / .seconds(1) },
            usage: state.usage,
            tensors: state.tensors
        )
    }

    private static func result(_ error: any Error) -> String {
        error is CancellationError ? "cancelled" : CallError(mapping: error).code.rawValue
    }
}
