/// What a probe found out about a model before it was let into the process.
package struct ProbeReport: Sendable, Hashable, Codable {
    package var description: ModelDescription
    /// Resident memory that opening, a session and the warm-up took in the probe, in bytes.
    package var measuredBytes: Int64
    /// Wall time from start to end, in seconds.
    package var seconds: Double

    package init(description: ModelDescription, measuredBytes: Int64, seconds: Double) {
        self.description = description
        self.measuredBytes = measuredBytes
        self.seconds = seconds
    }
}

/// Opens a model in a child process with a deadline and limits, so that a bad file costs nothing but that child.
package protocol ModelProbe: Sendable {
    /// Throws `ProbeCrashed`, `ProbeTimedOut` or the engine's own error. Cancelling ends the child.
    func probe(engine: String, opening: ModelOpening, warmUp: [CompletionRequest]) async throws -> ProbeReport
}
