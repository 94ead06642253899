/// What the clients of a listener may cost before they are cut off.
package struct ConnectionLimits: Sendable, Hashable {
    /// How many connections may be open at once; one more is answered with 503.
    package var connections: Int
    /// How long a connection may stay silent between requests.
    package var idleTime: Duration
    /// How long the head of a request may take from its first byte.
    package var headTime: Duration
    /// How long a request may take from its head to the end of its body.
    package var bodyTime: Duration
    /// How long a client may leave what was written for it unread.
    package var stallTime: Duration
    /// The most bytes of a request's head.
    package var headBytes: Int

    package init(
        connections: Int = 4096,
        idleTime: Duration = .seconds(75),
        headTime: Duration = .seconds(10),
        bodyTime: Duration = .seconds(60),
        stallTime: Duration = .seconds(30),
        headBytes: Int = 32 << 10
    ) {
        self.connections = connections
        self.idleTime = idleTime
        self.headTime = headTime
        self.bodyTime = bodyTime
        self.stallTime = stallTime
        self.headBytes = headBytes
    }
}
