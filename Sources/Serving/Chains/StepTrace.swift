internal import Planning
internal import Schema
internal import Synchronization

/// Where a request's steps are noted as they happen, for its record.
final class RequestTrace: Sendable {
    private let stopwatch: Stopwatch
    private let roots = Mutex<[StepTrace]>([])

    /// - Parameter stopwatch: started when the request came.
    init(_ stopwatch: Stopwatch) {
        self.stopwatch = stopwatch
    }

    /// Notes that a step begins.
    func begin(_ name: String, type: String) -> StepTrace {
        let trace = StepTrace(name, type: type, stopwatch: self.stopwatch)
        self.roots.withLock { $0.append(trace) }
        return trace
    }

    /// The guards that fired so far.
    var firedGuards: [GuardRecord] { self.roots.withLock { $0 }.flatMap(\.firedGuards) }

    /// All that has happened so far; what has not ended counts as cancelled.
    var records: [StepRecord] { self.roots.withLock { $0 }.map(\.record) }
}

/// One step of a request, while it happens and afterwards.
final class StepTrace: Sendable {
    private struct State {
        var record: StepRecord
        var end: Duration?
        var children: [StepTrace] = []
    }

    private let stopwatch: Stopwatch
    private let start: Duration
    private let state: Mutex<State>

    init(_ name: String, type: String, stopwatch: Stopwatch) {
        self.stopwatch = stopwatch
        self.start = stopwatch.elapsed
        var record = StepRecord(name: name, type: type)
        record.startMicroseconds = self.start.microseconds
        record.attempts = 0
        record.status = .cancelled
        self.state = Mutex(State(record: record))
    }

    /// Notes that a step within this one begins.
    func begin(_ name: String, type: String) -> StepTrace {
        let trace = StepTrace(name, type: type, stopwatch: self.stopwatch)
        self.state.withLock { $0.children.append(trace) }
        return trace
    }

    /// Notes something about the step.
    func note(_ change: (inout StepRecord) -> Void) {
        self.state.withLock { change(&$0.record) }
    }

    /// Adds tokens to those that the step has taken.
    func spend(_ usage: TokenUsage) {
        self.note { $0.usage = ($0.usage ?? TokenUsage()) + usage }
    }

    /// Notes the step's output, which of one that failed is what stands in for it.
    func finish(_ output: JSONValue) {
        self.note { $0.output = output }
        self.end(as: .ok)
    }

    /// Notes that the step is left out; one that failed is that in the first place.
    func skip() {
        self.end(as: .skipped)
    }

    /// Notes that the step failed; `substitute` is what stands in for its output, if anything does.
    func fail(_ error: CallError, substitute: JSONValue? = nil) {
        self.note { record in
            record.errorCode = error.code.rawValue
            record.errorMessage = error.detail ?? error.message
            record.output = substitute
        }
        self.end(as: .failed)
    }

    private func end(as status: StepRecord.Status) {
        let now = self.stopwatch.elapsed
        self.state.withLock { state in
            guard state.record.status != .failed else { return }
            (state.record.status, state.end) = (status, now)
        }
    }

    /// The guards that fired, here and in the steps within.
    var firedGuards: [GuardRecord] {
        let (own, children) = self.state.withLock { ($0.record.guards, $0.children) }
        return own + children.flatMap(\.firedGuards)
    }

    /// The step as it stands; one that has not ended counts as cancelled.
    var record: StepRecord {
        let state = self.state.withLock { $0 }
        var record = state.record
        record.microseconds = ((state.end ?? self.stopwatch.elapsed) - self.start).microseconds
        record.children = state.children.map(\.record)
        return record
    }
}

extension Duration {
    /// Whole microseconds.
    var microseconds: Int64 { self.components.seconds * 1_000_000 + self.components.attoseconds / 1_000_000_000_000 }
}
