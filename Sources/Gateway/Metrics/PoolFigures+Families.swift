internal import Serving

extension PoolFigures {
    /// The figures of the pool as a scrape shows them: of all models together, since there may be thousands.
    var families: [MetricFamily] {
        func single(_ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: Double) -> MetricFamily {
            MetricFamily(name: name, help: help, kind: kind, samples: [MetricFamily.Sample(value: value)])
        }
        let families = [
            single(
                "martlet_pool_resident_bytes",
                "Memory that loaded models take.",
                .gauge,
                Double(self.residentBytes)
            ),
            single("martlet_pool_resident_models", "Models in memory now.", .gauge, Double(self.resident)),
            single(
                "martlet_pool_lazy_models",
                "Models that requests have loaded, in memory or not.",
                .gauge,
                Double(self.lazy)
            ),
            single("martlet_pool_loads_total", "Loads that the controller asked for.", .counter, Double(self.loads)),
            single(
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
        return families + [single("martlet_pool_budget_bytes", "The memory budget.", .gauge, Double(budget))]
    }
}
