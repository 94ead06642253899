/// Why what a chain calls outside of its models, a server or a program, gave no output.
package struct OutboundFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// It was not reached, broke off, or ended before it answered.
        case unavailable
        case timedOut
        /// It has had too many requests.
        case rateLimited
        /// A rule of ours stands against it: the address, the host, the sandbox.
        case refused
        /// It took the call, and says that it failed.
        case rejected
        /// It answered with something that is no answer, or with too much.
        case invalidAnswer
        /// The manifest, a secret or the machine is at fault: asking again does not help.
        case misconfigured
        /// What was to be sent cannot be.
        case invalidInput
    }

    package var kind: Kind
    /// For whoever runs the server, and for records; it says what to do, and holds no secret.
    package var message: String
    /// What the server answered, where it did.
    package var status: Int?
    /// Seconds after which to try again, where it said so.
    package var retryAfter: Int?

    package init(_ kind: Kind, _ message: String, status: Int? = nil, retryAfter: Int? = nil) {
        self.kind = kind
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
    }

    package var description: String { self.message }

    /// Whether asking the same again may help.
    package var mayPass: Bool {
        switch self.kind {
        case .unavailable, .timedOut, .rateLimited: true
        case .refused, .rejected, .invalidAnswer, .misconfigured, .invalidInput: false
        }
    }
}
