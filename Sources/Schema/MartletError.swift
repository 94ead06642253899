/// An error that a person reads: what went wrong, what to do about it, and what caused it.
package struct MartletError: Error, Sendable, CustomStringConvertible {
    /// How a reconciler treats an error.
    package enum Disposition: String, Sendable, Hashable, Codable {
        /// Trying again cannot help: the artifact or the request itself is at fault.
        case terminal
        /// Something else must happen first; trying again at once is of no use.
        case waiting
        /// The same step may succeed when it is tried again.
        case retryable
    }

    /// A stable word for programs, in UpperCamelCase: `ArtifactMissing`, `EngineNotInstalled`.
    package var code: String
    /// A sentence for people that says what to do.
    package var message: String
    package var disposition: Disposition
    package var cause: (any Error)?

    package init(
        _ code: String,
        _ message: String,
        disposition: Disposition = .terminal,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.disposition = disposition
        self.cause = cause
    }

    package var description: String {
        guard let cause = self.cause else { return self.message }
        return "\(self.message) (\(cause))"
    }

    /// The error itself where it is one of ours; else a retryable one that carries it.
    package static func wrapping(_ error: any Error) -> MartletError {
        if let error = error as? MartletError { return error }
        return MartletError("Unexpected", "something outside failed: \(error)", disposition: .retryable)
    }
}
