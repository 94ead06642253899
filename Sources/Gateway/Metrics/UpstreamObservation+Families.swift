internal import Planning
internal import Schema
internal import Serving

extension ServingMetrics {
    /// What the servers are like that answer for models elsewhere.
    var upstreamFamilies: [MetricFamily] {
        let upstreams = self.upstreams.sorted { $0.key < $1.key }
        let servers = upstreams.flatMap { instance, upstreams in
            upstreams.servers.enumerated().map { position, server in
                let labels = [
                    MetricFamily.Label("model", "\(upstreams.model.namespace)/\(upstreams.model.name)"),
                    MetricFamily.Label("upstream", server.url),
                    // Two upstreams may share an address, and two revisions a model.
                    MetricFamily.Label("position", "\(position)"),
                    MetricFamily.Label("instance", instance.description),
                ]
                return (labels, server)
            }
        }
        func samples(_ value: (UpstreamObservation) -> Int) -> [MetricFamily.Sample] {
            servers.map { labels, server in MetricFamily.Sample(labels: labels, value: Double(value(server))) }
        }
        return [
            MetricFamily(
                name: "martlet_upstream_requests_total",
                help: "Requests sent to each upstream, repetitions included.",
                kind: .counter,
                samples: samples(\.requests)
            ),
            MetricFamily(
                name: "martlet_upstream_failures_total",
                help: "Of these, the ones that failed through the upstream's fault, by what was wrong.",
                kind: .counter,
                samples: servers.flatMap { labels, server in
                    server.failures.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, count in
                        MetricFamily.Sample(
                            labels: labels + [MetricFamily.Label("reason", kind.rawValue)],
                            value: Double(count)
                        )
                    }
                }
            ),
            MetricFamily(
                name: "martlet_upstream_retries_total",
                help: "Of these, the ones that repeated a request which had failed there or elsewhere.",
                kind: .counter,
                samples: samples(\.retries)
            ),
            MetricFamily(
                name: "martlet_upstream_requests_in_flight",
                help: "Requests under way at each upstream.",
                kind: .gauge,
                samples: samples(\.inFlight)
            ),
            MetricFamily(
                name: "martlet_upstream_cooling_down",
                help: "1 for an upstream that was left alone after failures, until it answers again.",
                kind: .gauge,
                samples: samples { $0.isCoolingDown ? 1 : 0 }
            ),
        ]
    }
}
