internal import Schema

extension Facts {
    /// Keeps what equals a part of the desired state where that one keeps it: read from a store and from manifests, it
    /// would be in memory twice.
    package mutating func share(_ desired: DesiredState) {
        for (variant, graph) in desired.variants {
            guard let place = self.variants[variant]?.graphs.firstIndex(where: { $0.revision == graph.revision }) else {
                continue
            }
            self.variants[variant]?.graphs[place].share(graph)
        }
        for (endpoint, settings) in desired.settings {
            let variant = VariantID(defaultOf: endpoint)
            if self.variants[variant]?.settings == settings { self.variants[variant]?.settings = settings }
        }
    }
}

extension RevisionGraph {
    fileprivate mutating func share(_ other: RevisionGraph) {
        if self.serve == other.serve { self.serve = other.serve }
        if self.chat == other.chat { self.chat = other.chat }
        if self.chains == other.chains { self.chains = other.chains }
        if self.templates == other.templates { self.templates = other.templates }
        if self.models == other.models { self.models = other.models }
        if self.hasLookups, self.knowledge == other.knowledge { self.knowledge = other.knowledge }
        if self.hasLookups, self.tables == other.tables { self.tables = other.tables }
    }
}
