package import Schema

/// What clients of `martlet run` may cost.
package struct ListenerLimits: Sendable, Hashable {
    /// Of each listener.
    package var maxConnections = 4096
    /// Of a request's body; an endpoint may allow less.
    package var maxBody = ByteCount(bytes: 16 << 20)
    /// From the first byte of a request's head to its last.
    package var headerTimeout = ManifestDuration.seconds(10)
    /// From the end of the head to the end of the body.
    package var bodyTimeout = ManifestDuration.seconds(60)
    /// Between requests.
    package var idleTimeout = ManifestDuration.seconds(75)
    /// How long an answer may lie unread.
    package var stallTimeout = ManifestDuration.seconds(30)

    package init() {}
}
