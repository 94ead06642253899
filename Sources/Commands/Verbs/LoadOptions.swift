internal import ArgumentParser
internal import Schema

/// How much load, and how long.
struct LoadOptions: ParsableArguments {
    /// More connections than this are more than a process may have open by default.
    private static let mostConnections = 1000
    /// More than one loop can send.
    private static let mostPerSecond = 1_000_000.0

    @Option(help: "Send at this constant rate, such as 200/s or 30/m; without it, each client sends without a pause.")
    var rate: String?

    @Option(help: "Clients at once; with --rate, the most connections. Default 1, with --rate 100.")
    var concurrency: Int?

    @Option(help: "How long, after the warm-up; default 10s.")
    var duration: String?

    @Option(help: "How many requests after the warm-up, instead of --duration.")
    var requests: Int?

    @Option(help: "How long to put it under load before anything counts.")
    var warmUp = "0s"

    @Option(help: "How long an answer may take; then the request counts as failed.")
    var timeout = "60s"

    @Option(help: "A PEM file of certificate authorities that are trusted for https, instead of the system's.")
    var caFile: String?

    func validate() throws {
        _ = try self.options()
        guard self.duration == nil || self.requests == nil else {
            throw ValidationError("give --duration or --requests, not both")
        }
    }

    /// The options of the generator. Throws when a value is none, or out of range.
    func options() throws -> LoadGenerator.Options {
        let concurrency = self.concurrency ?? (self.rate == nil ? 1 : 100)
        guard (1...Self.mostConnections).contains(concurrency) else {
            throw ValidationError("--concurrency goes from 1 to \(Self.mostConnections)")
        }
        let timeout = try Self.duration(self.timeout, of: "--timeout")
        guard timeout.milliseconds > 0 else { throw ValidationError("--timeout must be longer than 0s") }
        return LoadGenerator.Options(
            pace: try self.pace(),
            end: try self.end(),
            warmUp: try Self.duration(self.warmUp, of: "--warm-up"),
            concurrency: concurrency,
            timeout: timeout,
            caFile: self.caFile
        )
    }

    private func pace() throws -> LoadSchedule.Pace {
        guard let text = self.rate else { return .closedLoop }
        guard let rate = Rate(text), rate.amount > 0 else {
            throw ValidationError("--rate '\(text)' is no rate; write 200/s or 30/m")
        }
        guard Double(rate.amount) * 1000 / Double(rate.per.milliseconds) <= Self.mostPerSecond else {
            throw ValidationError("--rate goes up to 1M/s")
        }
        return .constant(rate)
    }

    private func end() throws -> LoadSchedule.End {
        if let requests = self.requests {
            guard requests > 0 else { throw ValidationError("--requests must be 1 or more") }
            return .requests(requests)
        }
        let duration = try Self.duration(self.duration ?? "10s", of: "--duration")
        guard duration.milliseconds > 0 else { throw ValidationError("--duration must be longer than 0s") }
        return .after(duration)
    }

    private static func duration(_ text: String, of option: String) throws -> ManifestDuration {
        // Nanoseconds of anything longer would not fit their integer after some sums.
        guard let duration = ManifestDuration(text), duration <= ManifestDuration("30d") ?? duration else {
            throw ValidationError("\(option) '\(text)' is no length of time up to 30d; write 30s or 5m")
        }
        return duration
    }
}
