internal import Serving

extension PoolFigures {
    /// The figures of the pool as a scrape shows them: of all models together, since there may be thousands.
    var families: [MetricFamily] {
        let families = [
            MetricFamily(
                "martlet_pool_resident_bytes",
                "Memory that loaded models take.",
                .gauge,
                Double(self.residentBytes)
            ),
            MetricFamily("martlet_pool_resident_models", "Models in memory now.", .gauge, Double(self.resident)),
            MetricFamily(
                "martlet_pool_lazy_models",
                "Models that requests have loaded, in memory or not.",
                .gauge,
                Double(self.lazy)
            ),
            MetricFamily(
                "martlet_pool_loads_total",
                "Loads that the controller asked for.",
                .counter,
                Double(self.loads)
            ),
            MetricFamily(
                "martlet_pool_evictions_total",
                "Models that gave their memory to others.",
                .counter,
                Double(self.evictions)
            ),
            MetricFamily(
                name: "martlet_pool_swap_in_seconds",
                help: "How long it took to bring evicted models back.",
                kind: .histogram,
                samples: self.swapIns.samples([])
            ),
        ]
        guard let budget else { return families }
        return families + [MetricFamily("martlet_pool_budget_bytes", "The memory budget.", .gauge, Double(budget))]
    }
}
