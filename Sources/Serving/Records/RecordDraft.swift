internal import Planning
internal import Schema
internal import Synchronization

/// What is noted of one request between its arrival and its end.
///
/// A chain's run notes its steps in ``trace``; all else comes from the events of the answer.
final class RecordDraft: Sendable {
    private struct State {
        var answer = RecordedAnswer()
        var usage = TokenUsage()
        var seatedAfter: Duration?
        var isFinished = false
    }

    private let body: any RecordedBody
    private let requestID: String
    private let tenant: String?
    private let startedAt: Timestamp
    private let stopwatch: Stopwatch
    private let replayOf: String?
    /// The steps of a chain.
    let trace: RequestTrace
    /// Nothing of the answer need be kept where nobody will.
    private let keepsPayloads: Bool
    private let state = Mutex(State())

    init(
        of body: any RecordedBody,
        requestID: String,
        caller: Caller,
        startedAt: Timestamp,
        stopwatch: Stopwatch,
        replayOf: String? = nil,
        under log: EndpointSpec.Log
    ) {
        self.body = body
        self.requestID = requestID
        self.tenant =
            switch caller {
            case .anonymous: nil
            case .tenant(let name): name
            }
        self.startedAt = startedAt
        self.stopwatch = stopwatch
        self.replayOf = replayOf
        self.trace = RequestTrace(stopwatch)
        self.keepsPayloads = log.payloads != .none
    }

    /// Microseconds since the request came, as steps are dated.
    var microseconds: Int64 { self.stopwatch.elapsed.microseconds }

    /// The request waits no longer.
    func takeSeat() {
        let elapsed = self.stopwatch.elapsed
        self.state.withLock { $0.seatedAfter = elapsed }
    }

    /// Takes an event of the answer in.
    func observe(_ event: some AnswerEvent) {
        self.state.withLock { state in
            if let usage = event.finalUsage { state.usage = usage }
            guard self.keepsPayloads else { return }
            event.record(in: &state.answer)
        }
    }

    /// Takes the tensors of an answer in.
    func observe(_ outputs: [Tensor]) {
        guard self.keepsPayloads else { return }
        let recorded = JSONValue.object(["outputs": .array(outputs.map(\.recorded))])
        self.state.withLock { $0.answer.output = recorded }
    }

    /// The record of the request as it ended; nil where it ended before.
    func finish(_ stamp: AnswerStamp, of graph: RevisionGraph, with error: (any Error)?) -> RequestRecord? {
        let state = self.state.withLock { state in
            defer { state.isFinished = true }
            return state
        }
        guard !state.isFinished else { return nil }
        let failure = error.map { CallError(mapping: $0) }
        var record = RequestRecord(
            id: self.requestID,
            startedAt: self.startedAt,
            microseconds: self.microseconds,
            operation: self.body.operation,
            variant: stamp.variant,
            tenant: self.tenant,
            revision: stamp.revision,
            commit: stamp.commit,
            isRecording: stamp.replayed,
            replayOf: self.replayOf,
            usage: state.usage,
            steps: self.trace.records
        )
        if error is CancellationError {
            record.status = RequestRecord.cancelled
        } else if let failure {
            record.status = failure.code.rawValue
            record.errorMessage = failure.detail ?? failure.message
        }
        if self.keepsPayloads {
            record.input = self.body.recordedInput
            record.parameters = self.body.recordedParameters
            record.output = state.answer.value
        }
        if let seatedAfter = state.seatedAfter, graph.serve.model != nil, let model = graph.models.first {
            record.steps = [record.step(of: model, from: seatedAfter.microseconds)]
        }
        return record
    }
}

extension RequestRecord {
    /// The one step of a request that a bare model answers; its input and output are the request's.
    fileprivate func step(of model: RevisionGraph.Model, from start: Int64) -> StepRecord {
        StepRecord(
            name: model.identity.name,
            type: "model",
            startMicroseconds: start,
            microseconds: self.microseconds - start,
            status: self.status == RequestRecord.ok
                ? .ok : self.status == RequestRecord.cancelled ? .cancelled : .failed,
            usage: self.usage,
            model: StepRecord.Named(resource: model.identity.description, digest: model.digest.hex),
            errorCode: self.errorMessage == nil ? nil : self.status
        )
    }
}
