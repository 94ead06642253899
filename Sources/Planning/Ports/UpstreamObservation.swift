/// What is seen of one server that answers for a model.
package struct UpstreamObservation: Sendable, Hashable {
    package var url: String
    /// Attempts since the model was loaded.
    package var requests = 0
    /// Of these, the ones that failed through the server's fault, by what was wrong.
    package var failures: [UpstreamFailure.Kind: Int] = [:]
    /// Of these, the ones that were made because an earlier attempt at the same request had failed.
    package var retries = 0
    /// Attempts under way.
    package var inFlight = 0
    /// Whether it was left alone for a while after failures, and has not answered since.
    package var isCoolingDown = false
    /// Why the last attempt failed; nil after an answer.
    package var lastFailure: String?

    package init(url: String) {
        self.url = url
    }
}
