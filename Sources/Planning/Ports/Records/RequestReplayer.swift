/// Repeats recorded requests: the admin API's way into Serving.
package protocol RequestReplayer: Sendable {
    /// Answers a recorded request again, behind all requests that somebody waits for, and writes that down as a request of
    /// its own. What changes something elsewhere is not done again: its recorded output is taken. Returns the new
    /// request's id; whether it was answered stands in its record.
    ///
    /// - Parameters:
    ///   - id: of the new request.
    ///   - revision: which of the revisions that serve, by its first hex digits; nil: whichever the traffic says.
    ///
    /// Throws `NotFound` where the endpoint or the revision does not serve, `Conflict` where the record has no input or
    /// lacks a part of it.
    func replay(_ record: RequestRecord, as id: String, on revision: String?) async throws
}
