package import Planning

extension LoopMetrics {
    /// The figures as a scrape shows them.
    package var families: [MetricFamily] {
        [
            MetricFamily("martlet_plans_total", "How often the planner was asked.", .counter, Double(self.plans)),
            MetricFamily(
                "martlet_planning_seconds_total",
                "How long the planner worked.",
                .counter,
                self.planning / .seconds(1)
            ),
            MetricFamily(
                "martlet_state_writes_total",
                "Transactions of the control loop in the control database.",
                .counter,
                Double(self.writes)
            ),
            MetricFamily(
                "martlet_open_endpoints",
                "Endpoints that are not settled: something is to be done for them, or they wait for something.",
                .gauge,
                Double(self.openEndpoints)
            ),
            MetricFamily(
                name: "martlet_replicas_wanted",
                help: "Replicas that an endpoint is to have, where that depends on how much there is to do.",
                kind: .gauge,
                samples: self.wantedReplicas.sorted { $0.key < $1.key }.map {
                    MetricFamily.Sample(labels: $0.key.labels, value: Double($0.value))
                }
            ),
        ]
    }
}
