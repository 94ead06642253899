internal import Planning
internal import Schema
internal import Synchronization

/// What a revision looks things up in, open.
struct OpenLookups: Sendable {
    /// By the resource that declares each, as are the tables.
    var knowledge: [ResourceIdentity: any KnowledgeIndex] = [:]
    var tables: [ResourceIdentity: any FeatureRows] = [:]
}

extension Runner {
    /// What its chains look things up in: everything that the revision names, from its warm-up on.
    var lookups: OpenLookups { self.openLookups.withLock { $0 } }
}

extension InferenceServer {
    /// Opens what a revision looks things up in, and builds what is not there yet. An index that needs vectors has the
    /// revision's own model make them.
    ///
    /// Throws `LookupsUnavailable`, and what ``LookupStore`` throws.
    func openLookups(of runner: Runner) async throws {
        let graph = runner.graph
        guard graph.hasLookups else { return }
        guard let store = self.lookups else {
            throw MartletError("LookupsUnavailable", "this process keeps no indexes; run the revision elsewhere")
        }
        var opened = OpenLookups()
        for table in graph.tables { opened.tables[table.identity] = try await store.rows(table) }
        for base in graph.knowledge {
            let model = graph.models.first { $0.identity == base.embedding?.model }?.instance
            opened.knowledge[base.identity] = try await store.knowledge(base) { [pool] texts in
                guard let model else {
                    throw MartletError("RevisionInvalid", "the revision lacks the model that embeds \(base.identity)")
                }
                let lease = try pool.lease(model)
                defer { lease.release() }
                return try await lease.embed(texts).0
            }
        }
        let all = opened
        runner.openLookups.withLock { $0 = all }
    }
}
