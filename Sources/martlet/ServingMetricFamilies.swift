internal import Gateway
internal import Planning
internal import Schema
internal import Serving

/// What Serving counts, as families of the metrics page.
enum ServingMetricFamilies {
    static func families(of metrics: ServingMetrics) -> [MetricFamily] {
        [
            ServingMetricFamilies.requests(metrics),
            ServingMetricFamilies.gauge(
                "martlet_requests_in_flight",
                "Requests on replicas now.",
                metrics.inFlight
            ),
            ServingMetricFamilies.gauge(
                "martlet_requests_queued",
                "Requests that wait for a replica now.",
                metrics.queued
            ),
            ServingMetricFamilies.memory(metrics),
            MetricFamily(
                name: "martlet_engine_calls_abandoned_total",
                help: "Engine calls that hung and were left behind.",
                kind: .counter,
                samples: [.init(value: Double(metrics.abandonedCalls))]
            ),
        ]
    }

    private static func requests(_ metrics: ServingMetrics) -> MetricFamily {
        let samples = metrics.subjects.sorted { $0.key < $1.key }.flatMap { runner, subject in
            subject.requests.sorted { $0.key < $1.key }.map { result, count in
                MetricFamily.Sample(
                    labels: ServingMetricFamilies.labels(runner) + [.init("result", result)],
                    value: Double(count)
                )
            }
        }
        return MetricFamily(
            name: "martlet_requests_total",
            help: "Finished requests by revision and result.",
            kind: .counter,
            samples: samples
        )
    }

    private static func memory(_ metrics: ServingMetrics) -> MetricFamily {
        let samples = metrics.instances.sorted { $0.key < $1.key }.map { key, instance in
            MetricFamily.Sample(
                labels: [.init("instance", key.description), .init("state", instance.state.rawValue)],
                value: Double(instance.memoryBytes)
            )
        }
        return MetricFamily(
            name: "martlet_instance_memory_bytes",
            help: "Memory of loaded models, weights and sessions.",
            kind: .gauge,
            samples: samples
        )
    }

    private static func gauge(_ name: String, _ help: String, _ counts: [RunnerKey: Int]) -> MetricFamily {
        let samples = counts.sorted { $0.key < $1.key }.map { runner, count in
            MetricFamily.Sample(labels: ServingMetricFamilies.labels(runner), value: Double(count))
        }
        return MetricFamily(name: name, help: help, kind: .gauge, samples: samples)
    }

    private static func labels(_ runner: RunnerKey) -> [MetricFamily.Label] {
        [.init("variant", runner.variant.description), .init("revision", runner.revision.description)]
    }
}
