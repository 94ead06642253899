internal import Planning
internal import Schema
package import Serving

extension ServingMetrics {
    /// The figures as a scrape shows them: OpenTelemetry's names for generative AI where it has any, else `martlet_…`.
    package var families: [MetricFamily] {
        self.requestFamilies + self.tensorFamilies + self.loadFamilies + self.instanceFamilies + self.pool.families
            + self.upstreamFamilies
    }

    private var requestFamilies: [MetricFamily] {
        let subjects = self.subjects.sorted { $0.key < $1.key }
        return [
            MetricFamily(
                name: "gen_ai_server_request_duration_seconds",
                help: "How long requests took, waiting included.",
                kind: .histogram,
                samples: subjects.flatMap { $0.value.duration.samples($0.key.labels) }
            ),
            MetricFamily(
                name: "gen_ai_server_time_to_first_token_seconds",
                help: "How long callers waited for the first text of an answer.",
                kind: .histogram,
                samples: subjects.flatMap { $0.value.timeToFirstToken.samples($0.key.labels) }
            ),
            MetricFamily(
                name: "gen_ai_client_token_usage",
                help: "Tokens read and written for each answer.",
                kind: .histogram,
                samples: subjects.flatMap { key, subject in
                    subject.inputTokens.samples(key.labels + [MetricFamily.Label("gen_ai_token_type", "input")])
                        + subject.outputTokens.samples(key.labels + [MetricFamily.Label("gen_ai_token_type", "output")])
                }
            ),
            MetricFamily(
                name: "martlet_requests_total",
                help: "Finished requests by result: ok, cancelled, or why they failed.",
                kind: .counter,
                samples: subjects.flatMap { key, subject in
                    subject.requests.sorted { $0.key < $1.key }.map { result, count in
                        MetricFamily.Sample(
                            labels: key.labels + [MetricFamily.Label("result", result)],
                            value: Double(count)
                        )
                    }
                }
            ),
            MetricFamily(
                name: "martlet_guards_total",
                help: "Guards of prompt templates that fired.",
                kind: .counter,
                samples: subjects.flatMap { key, subject in
                    subject.guards.sorted { $0.key < $1.key }.map { fired, count in
                        MetricFamily.Sample(
                            labels: key.labels + [
                                MetricFamily.Label("place", fired.place), MetricFamily.Label("rule", fired.rule),
                                MetricFamily.Label("action", fired.action),
                            ],
                            value: Double(count)
                        )
                    }
                }
            ),
        ]
    }

    private var tensorFamilies: [MetricFamily] {
        let subjects = self.subjects.sorted { $0.key < $1.key }
        func samples(_ histogram: (Tensors) -> Histogram) -> [MetricFamily.Sample] {
            subjects.flatMap { key, subject in subject.tensors.map { histogram($0).samples(key.labels) } ?? [] }
        }
        return [
            MetricFamily(
                name: "martlet_tensor_wait_seconds",
                help: "How long requests for tensors waited within their model for their run.",
                kind: .histogram,
                samples: samples(\.wait)
            ),
            MetricFamily(
                name: "martlet_tensor_run_seconds",
                help: "How long the engine took for the runs that requests for tensors were part of.",
                kind: .histogram,
                samples: samples(\.run)
            ),
            MetricFamily(
                name: "martlet_tensor_batch_rows",
                help: "The rows of each batch, where requests for tensors are put together.",
                kind: .histogram,
                samples: samples(\.batchRows)
            ),
        ]
    }

    private var loadFamilies: [MetricFamily] {
        func samples(_ counts: [RunnerKey: Int]) -> [MetricFamily.Sample] {
            counts.sorted { $0.key < $1.key }.map {
                MetricFamily.Sample(labels: $0.key.labels, value: Double($0.value))
            }
        }
        return [
            MetricFamily(
                name: "martlet_requests_in_flight",
                help: "Requests on replicas now.",
                kind: .gauge,
                samples: samples(self.inFlight)
            ),
            MetricFamily(
                name: "martlet_requests_queued",
                help: "Requests that wait for a replica now.",
                kind: .gauge,
                samples: samples(self.queued)
            ),
            MetricFamily(
                name: "martlet_replicas",
                help: "Replicas that take requests now.",
                kind: .gauge,
                samples: samples(self.replicas)
            ),
            MetricFamily(
                "martlet_abandoned_calls_total",
                "Engine calls that hung and were left behind.",
                .counter,
                Double(self.abandonedCalls)
            ),
        ]
    }

    private var instanceFamilies: [MetricFamily] {
        let instances = self.instances.sorted { $0.key < $1.key }
        func samples(_ value: (InstanceObservation) -> Double) -> [MetricFamily.Sample] {
            instances.map { key, observation in
                MetricFamily.Sample(
                    labels: [
                        MetricFamily.Label("instance", key.description),
                        MetricFamily.Label("state", observation.state.rawValue),
                    ],
                    value: value(observation)
                )
            }
        }
        return [
            MetricFamily(
                name: "martlet_instance_memory_bytes",
                help: "Memory of each model that is loaded all the time.",
                kind: .gauge,
                samples: samples { Double($0.memoryBytes) }
            ),
            MetricFamily(
                name: "martlet_instance_copies",
                help: "Copies of each model that is loaded all the time, that are ready.",
                kind: .gauge,
                samples: samples { Double($0.copies) }
            ),
        ]
    }
}

extension RunnerKey {
    /// Who answered, as every metric of requests says it.
    fileprivate var labels: [MetricFamily.Label] {
        self.variant.labels(of: [MetricFamily.Label("revision", self.revision.description)])
    }
}

extension VariantID {
    /// An endpoint's variant, as every metric of it says it.
    var labels: [MetricFamily.Label] { self.labels(of: []) }

    fileprivate func labels(of revision: [MetricFamily.Label]) -> [MetricFamily.Label] {
        let labels = [
            MetricFamily.Label("gen_ai_provider_name", "martlet"),
            MetricFamily.Label("gen_ai_request_model", "\(self.namespace)/\(self.endpoint)"),
        ]
        return labels + revision + (self.tenant.map { [MetricFamily.Label("tenant", $0)] } ?? [])
    }
}

extension Histogram {
    /// The samples of the text format: cumulative buckets, the sum and the count.
    func samples(_ labels: [MetricFamily.Label]) -> [MetricFamily.Sample] {
        var total = 0
        var samples = zip(self.bounds.map(PrometheusText.number) + ["+Inf"], self.counts).map { bound, count in
            total += count
            return MetricFamily.Sample(
                suffix: "_bucket",
                labels: labels + [MetricFamily.Label("le", bound)],
                value: Double(total)
            )
        }
        samples.append(MetricFamily.Sample(suffix: "_sum", labels: labels, value: self.sum))
        samples.append(MetricFamily.Sample(suffix: "_count", labels: labels, value: Double(total)))
        return samples
    }
}
