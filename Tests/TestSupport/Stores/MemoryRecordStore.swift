internal import Foundation
package import Planning
package import Schema
internal import Synchronization

/// A record store that forgets everything with the test; a test says when there is room.
package final class MemoryRecordStore: RecordStore {
    fileprivate struct State {
        var records: [(sequence: Int64, record: RequestRecord)] = []
        var feedback: [(feedback: Feedback, record: RequestRecord)] = []
        var isFull = false
        var failure: MartletError?
        var figures = RecordFigures()
        var waiting: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// All records, in the order in which they came.
    package var records: [RequestRecord] { self.state.withLock { $0.records.map(\.record) } }

    /// From now on, whoever writes waits until ``makeRoom()``.
    package func fill() { self.state.withLock { $0.isFull = true } }

    /// Lets everybody write who waits.
    package func makeRoom() {
        let waiting = self.state.withLock { state in
            state.isFull = false
            return exchange(&state.waiting, with: [])
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Returns once somebody waits for room.
    package func untilSomebodyWaits() async {
        await withCheckedContinuation { watcher in
            let isThere = self.state.withLock { state in
                if state.waiting.isEmpty { state.watchers.append(watcher) }
                return !state.waiting.isEmpty
            }
            if isThere { watcher.resume() }
        }
    }

    /// From now on, nothing can be written; nil: it can again.
    package func fail(with error: MartletError?) { self.state.withLock { $0.failure = error } }

    package func accept(_ record: RequestRecord, under log: EndpointSpec.Log) -> Bool {
        self.state.withLock { state in
            guard !state.isFull, state.failure == nil, log.durability == .batched else { return false }
            state.add(record.kept(under: log).redacted(Redactor(log.redact)))
            return true
        }
    }

    package func write(_ record: RequestRecord, under log: EndpointSpec.Log) async throws {
        await withCheckedContinuation { waiter in
            let watchers = self.state.withLock { state -> [CheckedContinuation<Void, Never>]? in
                guard state.isFull else { return nil }
                state.waiting.append(waiter)
                return exchange(&state.watchers, with: [])
            }
            guard let watchers else { return waiter.resume() }
            for watcher in watchers { watcher.resume() }
        }
        try self.state.withLock { state in
            if let failure = state.failure { throw failure }
            state.add(record.kept(under: log).redacted(Redactor(log.redact)))
        }
    }

    package func record(_ id: String) async throws -> RequestRecord? {
        self.records.last { $0.id == id }
    }

    package func search(_ query: RecordQuery) async throws -> RecordPage {
        let all = self.state.withLock { $0.records }
        let found = all.filter { query.matches($0.record, $0.sequence) }
        let ordered = query.after == nil ? found.reversed() : found
        let page = ordered.prefix(max(0, query.limit))
        return RecordPage(
            records: page.map(\.record),
            next: page.count < ordered.count ? page.last?.sequence : nil,
            newest: all.last?.sequence ?? 0
        )
    }

    package func replays(of id: String) async throws -> [RequestRecord] {
        self.records.filter { $0.replayOf == id }
    }

    package func add(
        _ feedback: Feedback,
        if mayJoin: @escaping @Sendable (RequestRecord) -> Bool
    ) async throws -> Feedback {
        guard let record = self.records.last(where: { $0.id == feedback.requestID && mayJoin($0) }) else {
            throw MartletError("NotFound", "there is no record of a request '\(feedback.requestID)'")
        }
        return self.state.withLock { state in
            var stored = feedback
            stored.sequence = Int64(state.feedback.count) + 1
            state.feedback.append((stored, record))
            return stored
        }
    }

    package func feedback(of id: String?, limit: Int) async throws -> [Feedback] {
        self.state.withLock { $0.feedback.map(\.feedback) }.filter { id == nil || $0.requestID == id }.suffix(limit)
    }

    package func feedbackSummaries(since: Timestamp?) async throws -> [FeedbackSummary] {
        let given = self.state.withLock { $0.feedback }.filter {
            $0.feedback.at >= since ?? Timestamp(milliseconds: .min)
        }
        let groups = Dictionary(grouping: given) { "\($0.record.variant) \($0.record.revision.digest)" }
        return groups.sorted { $0.key < $1.key }.map { _, group in
            let scores = group.compactMap(\.feedback.score)
            return FeedbackSummary(
                variant: group[0].record.variant,
                revision: group[0].record.revision,
                count: group.count,
                meanScore: scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count),
                labels: Dictionary(group.compactMap(\.feedback.label).map { ($0, 1) }, uniquingKeysWith: +),
                corrections: group.count { $0.feedback.correction != nil }
            )
        }
    }

    package var figures: RecordFigures { self.state.withLock { $0.figures } }
}

extension MemoryRecordStore.State {
    fileprivate mutating func add(_ record: RequestRecord) {
        self.records.append((Int64(self.records.count) + 1, record))
        self.figures.writtenRecords += 1
    }
}

extension RecordQuery {
    fileprivate func matches(_ record: RequestRecord, _ sequence: Int64) -> Bool {
        let isError = ![RequestRecord.ok, RequestRecord.cancelled].contains(record.status)
        let text = "\(record.input?.canonicalJSON ?? "") \(record.output?.canonicalJSON ?? "")".lowercased()
        return RecordQuery.allows(self.since) { $0 <= record.startedAt }
            && RecordQuery.allows(self.until) { $0 > record.startedAt }
            && RecordQuery.allows(self.id) { $0 == record.id }
            && RecordQuery.allows(self.namespace) { $0 == record.variant.namespace }
            && RecordQuery.allows(self.endpoint) { $0 == record.variant.endpoint }
            && RecordQuery.allows(self.tenant) { $0 == record.tenant }
            && RecordQuery.allows(self.revision) { record.revision.digest.hex.hasPrefix($0.lowercased()) }
            && RecordQuery.allows(self.status) { $0 == RecordQuery.anyError ? isError : $0 == record.status }
            && RecordQuery.allows(self.text) { $0.lowercased().split(separator: " ").allSatisfy(text.contains) }
            && RecordQuery.allows(self.before) { sequence < $0 } && RecordQuery.allows(self.after) { sequence > $0 }
    }

    private static func allows<Value>(_ wanted: Value?, _ isMet: (Value) -> Bool) -> Bool {
        wanted.map(isMet) ?? true
    }
}
