package import Schema

/// How well a copy of a remote repository keeps up with it.
package struct SourceFreshness: Sendable {
    /// When the remote was last asked with success, whether it had anything new or not; nil: never by this process.
    package var fetchedAt: Timestamp?
    /// Why the last try failed; nil when it did not.
    package var failure: MartletError?

    package init(fetchedAt: Timestamp? = nil, failure: MartletError? = nil) {
        self.fetchedAt = fetchedAt
        self.failure = failure
    }
}
