internal import Logging
internal import Planning
internal import Schema

// Every request that was routed leaves a record, whatever became of it.
extension InferenceServer {
    /// Writes a request's record, waiting for as long as that takes; counts and logs the request. Returns what its caller
    /// is told: an answer whose record cannot be written is none.
    func settle<Work>(_ admitted: Admitted<Work>, with error: (any Error)?) async -> (any Error)? {
        var told = error
        if let (record, log, records) = self.record(of: admitted, with: error) {
            do {
                try await records.write(record, under: log)
            } catch {
                told = told ?? self.unwritten(record, error)
            }
        }
        self.conclude(admitted, with: told)
        return told
    }

    /// The same for a request that ends early, by whoever ends it; `finish` may be called later.
    func settle<Work>(
        _ admitted: Admitted<Work>,
        with error: any Error,
        finish: @escaping @Sendable ((any Error)?) -> Void
    ) {
        guard let (record, log, records) = self.record(of: admitted, with: error), !records.accept(record, under: log)
        else {
            self.conclude(admitted, with: error)
            finish(error)
            return
        }
        let write = { @Sendable in
            do {
                try await records.write(record, under: log)
            } catch {
                _ = self.unwritten(record, error)
            }
            self.conclude(admitted, with: error)
            finish(error)
        }
        guard self.answers.start(write) == nil else { return }
        // At the very end nobody can wait; what is accepted now is written when the records are closed.
        var batched = log
        batched.durability = .batched
        if !records.accept(record, under: batched) { _ = self.unwritten(record, CancellationError()) }
        self.conclude(admitted, with: error)
        finish(error)
    }

    /// Writes the record of a request that was routed, and refused before it had a seat.
    func settleRefused(
        _ draft: RecordDraft?,
        on route: RoutingSnapshot.Route,
        under log: EndpointSpec.Log,
        with error: any Error
    ) async {
        guard let records = self.records, let draft,
            let record = draft.finish(route.stamp, of: route.runner.graph, with: error)
        else { return }
        do {
            try await records.write(record, under: log)
        } catch {
            _ = self.unwritten(record, error)
        }
    }

    /// The draft of a call's record; nil where nobody keeps records.
    func draft<Body>(
        of call: EndpointCall<Body>,
        _ body: (any RecordedBody)?,
        on route: RoutingSnapshot.Route,
        startedAt: Timestamp,
        _ meter: AnswerMeter
    ) -> RecordDraft? {
        guard self.records != nil, let body else { return nil }
        return RecordDraft(
            of: body,
            requestID: call.requestID,
            caller: call.caller,
            startedAt: startedAt,
            stopwatch: meter.stopwatch,
            replayOf: call.repeats?.id,
            under: route.settings.recording(of: call)
        )
    }

    private func record<Work>(
        of admitted: Admitted<Work>,
        with error: (any Error)?
    ) -> (RequestRecord, EndpointSpec.Log, any RecordSink)? {
        guard let records = self.records,
            let record = admitted.draft?.finish(admitted.stamp, of: admitted.route.runner.graph, with: error)
        else { return nil }
        return (record, admitted.log, records)
    }

    /// Logs that a record is lost, and says what the caller of an answer is told.
    private func unwritten(_ record: RequestRecord, _ error: any Error) -> CallError {
        self.logger.error(
            "a request's record cannot be written",
            metadata: ["request": "\(record.id)", "endpoint": "\(record.variant)", "reason": "\(error)"]
        )
        return CallError(
            .unavailable,
            "the request cannot be written down now, and is not answered without that; try again later",
            retryAfter: 5
        )
    }
}

extension EndpointSettings {
    /// What is kept of a request.
    func recording<Body>(of call: EndpointCall<Body>) -> EndpointSpec.Log {
        let log = self.log ?? .standard
        return call.repeats == nil ? log : log.ofRepetition
    }
}
