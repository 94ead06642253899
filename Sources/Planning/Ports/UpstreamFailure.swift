/// Why a server elsewhere gave no answer.
package struct UpstreamFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// It was not reached, broke off, failed, or gave something that is no answer.
        case unavailable
        /// It took too long.
        case timedOut
        /// It has had too many requests.
        case rateLimited
        /// What the server granted us is used up.
        case exhausted
        /// It refuses the key, or knows no such model or address: the manifest is at fault, not the caller.
        case misconfigured
        /// The request itself is not what it takes.
        case rejected
        /// The request is longer than the model's context.
        case tooLong
    }

    package var kind: Kind
    /// For people; it names the server, and holds no secret.
    package var message: String
    /// Seconds after which to try again, where the server said so.
    package var retryAfter: Int?
    /// The request's field at fault, where the server named one.
    package var parameter: String?

    package init(_ kind: Kind, _ message: String, retryAfter: Int? = nil, parameter: String? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
        self.parameter = parameter
    }

    package var description: String { self.message }

    /// Whether the upstream is at fault, so that another one may do better.
    package var isUpstreamsFault: Bool {
        switch self.kind {
        case .unavailable, .timedOut, .rateLimited, .exhausted, .misconfigured: true
        case .rejected, .tooLong: false
        }
    }
}
