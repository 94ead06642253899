internal import Planning
internal import Schema

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

/// What a probe writes to its standard output: one of the two.
struct ProbeAnswer: Codable {
    struct Failure: Codable {
        var code: String
        var message: String
        var disposition: MartletError.Disposition
    }

    var report: ProbeReport?
    var failure: Failure?
}
