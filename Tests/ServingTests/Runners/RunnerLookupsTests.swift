import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Serving

@Suite("What a runner looks things up in")
struct RunnerLookupsTests {
    private struct Index: KnowledgeIndex {
        let digest: Digest

        func search(
            _ query: KnowledgeQuery,
            embed: ([String]) async throws -> [[Float]]
        ) async throws -> [Passage] { [] }
    }

    private struct Rows: FeatureRows {
        func row(_ key: [JSONValue], columns: [String]?) async throws -> FeatureRow? { nil }
    }

    /// Has one text embedded for each knowledge base, or fails.
    private final class Store: LookupStore {
        let vectors = Mutex<[[Float]]>([])
        let failure: MartletError?

        init(failure: MartletError? = nil) {
            self.failure = failure
        }

        func knowledge(
            _ base: RevisionGraph.KnowledgeBase,
            embed: @escaping @Sendable ([String]) async throws -> [[Float]]
        ) async throws -> any KnowledgeIndex {
            if let failure = self.failure { throw failure }
            let made = try await embed(["text"])
            self.vectors.withLock { $0 += made }
            return Index(digest: base.content)
        }

        func rows(_ table: RevisionGraph.FeatureTable) async throws -> any FeatureRows { Rows() }
        func prune(keeping graphs: [RevisionGraph]) async {}
    }

    private static func graph() throws -> RevisionGraph {
        var graph = try EndpointFixture.modelGraph()
        let base = ResourceIdentity(.knowledgeBase, namespace: "default", name: "policies")
        let table = ResourceIdentity(.featureTable, namespace: "default", name: "orders")
        graph.knowledge = [
            RevisionGraph.KnowledgeBase(
                identity: base,
                digest: Digest(of: []),
                spec: try JSONValueDecoder().decode(
                    KnowledgeBaseSpec.self,
                    from: base.kind.shape.complete(["documents": [], "index": ["type": "vector"]])
                ),
                documents: [],
                embedding: .init(model: Specs.model, instance: EndpointFixture.instance.key)
            )
        ]
        graph.tables = [
            RevisionGraph.FeatureTable(
                identity: table,
                digest: Digest(of: []),
                spec: try JSONValueDecoder().decode(
                    FeatureTableSpec.self,
                    from: table.kind.shape.complete(["dataset": "orders", "key": "id"])
                ),
                artifact: Artifact(location: .repository(path: "o.csv", blob: "b"), size: 1),
                format: .csv
            )
        ]
        return graph
    }

    private static let silent = ScriptedCompletion { _, _ in .says([]) }

    @Test("They are open before the runner takes a request, and the revision's model embeds")
    func opens() async throws {
        let (graph, store) = (try Self.graph(), Store())
        try await EndpointFixture.run(CompletionEngine(model: Self.silent), lookups: store) { fixture in
            let key = RunnerKey(graph.variant, graph.revision)
            try await fixture.server.start(graph, replicas: 1)
            #expect(await fixture.server.observe().runners[key]?.state == .started)
            try await fixture.server.warmUp(key)
            #expect(await fixture.server.observe().runners[key]?.state == .ready)
            let lookups = fixture.server.withState { $0.runners[key]?.lookups }
            #expect(lookups?.knowledge.keys.map(\.name) == ["policies"])
            #expect(lookups?.tables.keys.map(\.name) == ["orders"])
            #expect(store.vectors.withLock { $0.count } == 1)
        }
    }

    @Test("A build that fails is the runner's failure, with the reason", arguments: [true, false])
    func fails(_ hasStore: Bool) async throws {
        let graph = try Self.graph()
        let store = hasStore ? Store(failure: MartletError("DocumentInvalid", "a.md:1:1: no text")) : nil
        try await EndpointFixture.run(CompletionEngine(model: Self.silent), lookups: store) { fixture in
            let key = RunnerKey(graph.variant, graph.revision)
            try await fixture.server.start(graph, replicas: 1)
            let error = await #expect(throws: MartletError.self) { try await fixture.server.warmUp(key) }
            #expect(error?.code == (hasStore ? "DocumentInvalid" : "LookupsUnavailable"))
            let observed = await fixture.server.observe().runners[key]
            #expect(observed?.state == .failed)
            #expect(observed?.message == error?.message)
        }
    }
}
