/// Which records to read: those that all of its conditions hold for.
package struct RecordQuery: Sendable, Hashable {
    /// Requests that came then or later.
    package var since: Timestamp?
    /// Requests that came before.
    package var until: Timestamp?
    package var id: String?
    package var namespace: String?
    package var endpoint: String?
    package var tenant: String?
    /// The first hex digits of a revision.
    package var revision: String?
    /// A status; `error` stands for every one but `ok` and `cancelled`.
    package var status: String?
    /// Words that all occur in the input or the output, in any order.
    package var text: String?
    /// Only records written before the one of that number, newest first.
    package var before: Int64?
    /// Only records written after the one of that number, oldest first.
    package var after: Int64?
    /// At most so many; fewer where they are large.
    package var limit: Int

    package init(
        since: Timestamp? = nil,
        until: Timestamp? = nil,
        id: String? = nil,
        namespace: String? = nil,
        endpoint: String? = nil,
        tenant: String? = nil,
        revision: String? = nil,
        status: String? = nil,
        text: String? = nil,
        before: Int64? = nil,
        after: Int64? = nil,
        limit: Int = 100
    ) {
        self.since = since
        self.until = until
        self.id = id
        self.namespace = namespace
        self.endpoint = endpoint
        self.tenant = tenant
        self.revision = revision
        self.status = status
        self.text = text
        self.before = before
        self.after = after
        self.limit = limit
    }

    /// The status that stands for everything that went wrong.
    package static let anyError = "error"
}

/// A part of the records that a query finds.
package struct RecordPage: Sendable, Hashable, Codable {
    /// Newest first; oldest first where the query says `after`.
    package var records: [RequestRecord]
    /// Where the next page begins: the `before` (or `after`) to ask with; nil where nothing follows.
    package var next: Int64?
    /// The number of the newest record that there is, whether it is in the page or not: the `after` to ask with for those
    /// to come.
    package var newest: Int64

    package init(records: [RequestRecord], next: Int64?, newest: Int64) {
        self.records = records
        self.next = next
        self.newest = newest
    }
}
