internal import Planning

/// What the parent writes to a probe's standard input, as one line of JSON.
struct ProbeRequest: Codable {
    /// A warm-up request, as far as a probe heeds it.
    struct WarmUp: Codable {
        var text: String
        var maxTokens: Int?
    }

    var engine: String
    var searchPath: [String]
    var opening: ModelOpening
    var warmUp: [WarmUp]
    var limits: ProbeLimits
}
