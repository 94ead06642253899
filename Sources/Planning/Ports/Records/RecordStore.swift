package import Schema

/// Where records go.
package protocol RecordSink: Sendable {
    /// Takes a record if there is room for it at once, to be written within milliseconds; returns whether it did.
    func accept(_ record: RequestRecord, under log: EndpointSpec.Log) -> Bool

    /// Writes a record, as far as the endpoint's `log` has it kept, with everything blackened that is to be. Waits until
    /// there is room, and with `durability: sync` until the disk has it; a record that it does not throw for is never
    /// dropped. Throws `RecordsUnavailable` when records cannot be written.
    func write(_ record: RequestRecord, under log: EndpointSpec.Log) async throws
}

/// The records of requests, and what was said of their answers. What was accepted is found at once.
package protocol RecordStore: RecordSink {
    /// The newest record with that id.
    func record(_ id: String) async throws -> RequestRecord?

    func search(_ query: RecordQuery) async throws -> RecordPage

    /// The records of requests that repeat another one, oldest first.
    func replays(of id: String) async throws -> [RequestRecord]

    /// Joins feedback to the newest record of its id that it may be about, for as long as that is kept; returns it with its
    /// number.
    ///
    /// - Parameter mayJoin: whether the feedback may be about a record.
    ///
    /// Throws `NotFound`, the same where there is no such record and where it may not be joined.
    func add(
        _ feedback: Feedback,
        if mayJoin: @escaping @Sendable (RequestRecord) -> Bool
    ) async throws -> Feedback

    /// What was said of a request's answer, oldest first; of all requests' where none is named, the newest `limit`.
    func feedback(of id: String?, limit: Int) async throws -> [Feedback]

    /// What was said by variant and revision, since some time where one is given.
    func feedbackSummaries(since: Timestamp?) async throws -> [FeedbackSummary]

    var figures: RecordFigures { get }
}

/// How records fare, for metrics.
package struct RecordFigures: Sendable, Hashable {
    package var queuedRecords = 0
    package var queuedBytes = 0
    /// Since the process started, like the other sums.
    package var writtenRecords = 0
    /// Of JSON.
    package var writtenBytes = 0
    /// Requests that had to wait for room or for the disk.
    package var waits = 0
    /// Requests whose record could not be written, and which were told so.
    package var refused = 0
    /// Records whose time was over.
    package var pruned = 0
    /// Attempts to write that failed and were, or are to be, repeated.
    package var failures = 0
    /// Of the database's files, in bytes.
    package var size: Int64 = 0

    package init() {}
}
