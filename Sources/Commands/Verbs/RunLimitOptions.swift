internal import ArgumentParser
internal import Schema

/// Options of `martlet run` for what clients may cost.
struct RunLimitOptions: ParsableArguments {
    @Option(help: "How many connections each listener keeps open at once; one more is answered with 503.")
    var maxConnections = 4096

    @Option(help: "The largest body of a request; an endpoint may allow less.")
    var maxBody = "16Mi"

    @Option(help: "How long the head of a request may take from its first byte.")
    var headerTimeout = "10s"

    @Option(help: "How long the body of a request may take.")
    var bodyTimeout = "60s"

    @Option(help: "How long a connection may be silent between requests.")
    var idleTimeout = "75s"

    @Option(help: "How long a client may leave its answer unread before it is cut off.")
    var stallTimeout = "30s"

    func validate() throws {
        guard (1...1_000_000).contains(self.maxConnections) else {
            throw ValidationError("--max-connections goes from 1 to 1000000")
        }
        guard let body = ByteCount(self.maxBody), (1...(1 << 30)).contains(body.bytes) else {
            throw ValidationError("--max-body '\(self.maxBody)' is no amount of bytes up to 1Gi; write 16Mi")
        }
        for (option, value) in [
            ("--header-timeout", self.headerTimeout), ("--body-timeout", self.bodyTimeout),
            ("--idle-timeout", self.idleTimeout), ("--stall-timeout", self.stallTimeout),
        ] {
            guard let duration = ManifestDuration(value), duration.milliseconds > 0 else {
                throw ValidationError("\(option) '\(value)' is no length of time; write 30s or 5m")
            }
        }
    }

    var limits: ListenerLimits {
        var limits = ListenerLimits()
        limits.maxConnections = self.maxConnections
        limits.maxBody = ByteCount(self.maxBody) ?? limits.maxBody
        limits.headerTimeout = ManifestDuration(self.headerTimeout) ?? limits.headerTimeout
        limits.bodyTimeout = ManifestDuration(self.bodyTimeout) ?? limits.bodyTimeout
        limits.idleTimeout = ManifestDuration(self.idleTimeout) ?? limits.idleTimeout
        limits.stallTimeout = ManifestDuration(self.stallTimeout) ?? limits.stallTimeout
        return limits
    }
}
