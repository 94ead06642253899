import Foundation
import Planning
import Schema
import Synchronization
import Testing

@testable import Retrieval

/// A store of indexes over documents in memory, in a folder of its own, for tests.
final class Shelf: Sendable {
    /// Counts what was asked of it, and makes a vector of the words that a text has.
    final class Embedder: Sendable {
        /// Texts that were embedded, in order.
        let texts = Mutex<[String]>([])
        static let words = ["return", "refund", "ship", "gift", "apple", "pear", "green", "red"]

        func embed(_ texts: [String]) -> [[Float]] {
            self.texts.withLock { $0 += texts }
            return texts.map { text in
                let lower = text.lowercased()
                return Self.words.map { lower.contains($0) ? 1 : 0.01 }
            }
        }
    }

    struct Artifacts: ArtifactStore {
        func materialise(_ artifact: Artifact) async throws -> String { artifact.path }
        func prune(keeping artifacts: [Artifact]) async {}
    }

    struct Clock: WallClock {
        var time: Timestamp
        func now() -> Timestamp { self.time }
    }

    let folder = NSTemporaryDirectory() + "martlet-indexes-" + UUID().uuidString
    let files = Mutex<[String: String]>([:])
    let reads = Mutex(0)
    let embedder = Embedder()
    let now = Timestamp(milliseconds: 1_700_000_000_000)

    deinit {
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    /// A store as a new process has it.
    func store() -> IndexStore {
        IndexStore(
            folder: self.folder,
            read: { artifact in
                self.reads.withLock { $0 += 1 }
                guard let text = self.files.withLock({ $0[artifact.path] }) else {
                    throw MartletError("ArtifactMissing", "there is no '\(artifact.path)'")
                }
                return Array(text.utf8)
            },
            artifacts: Artifacts(),
            wallClock: Clock(time: self.now),
            connections: 2
        )
    }

    func write(_ path: String, _ text: String) {
        self.files.withLock { $0[path] = text }
    }

    func artifact(_ path: String) -> Artifact {
        let text = self.files.withLock { $0[path] } ?? ""
        return Artifact(
            location: .repository(path: path, blob: Digest(of: text.utf8).hex),
            size: Int64(text.utf8.count)
        )
    }

    /// A knowledge base of every file there is.
    func base(
        _ type: KnowledgeBaseSpec.Index.Form,
        metric: KnowledgeBaseSpec.Index.Metric = .cosine,
        chunking: KnowledgeBaseSpec.Chunking = .init()
    ) throws -> RevisionGraph.KnowledgeBase {
        let identity = ResourceIdentity(.knowledgeBase, namespace: "default", name: "policies")
        let paths = self.files.withLock { $0.keys.sorted() }
        let spec: JSONValue = [
            "documents": [["source": ["uri": "policies"]]],
            "chunking": [
                "by": .string(chunking.by.rawValue), "size": .integer(Int64(chunking.size)),
                "overlap": .integer(Int64(chunking.overlap)),
            ],
            "index": ["type": .string(type.rawValue), "metric": .string(metric.rawValue)],
        ]
        guard case .knowledgeBase(let typed) = try Resource(identity, spec: spec).spec else {
            throw MartletError("NoKnowledgeBase", "the spec is of another kind")
        }
        return RevisionGraph.KnowledgeBase(
            identity: identity,
            digest: Digest(of: []),
            spec: typed,
            documents: paths.map { .init(artifact: self.artifact($0), format: .init(path: $0)) },
            embedding: type.embeds
                ? .init(
                    model: ResourceIdentity(.model, namespace: "default", name: "minilm"),
                    instance: InstanceKey(Digest(of: "minilm".utf8))
                ) : nil
        )
    }

    func open(_ base: RevisionGraph.KnowledgeBase, in store: IndexStore? = nil) async throws -> any KnowledgeIndex {
        let embedder = self.embedder
        return try await (store ?? self.store()).knowledge(base) { embedder.embed($0) }
    }

    func search(
        _ index: any KnowledgeIndex,
        _ text: String,
        top: Int = 3,
        minScore: Double? = nil
    ) async throws -> [Passage] {
        let embedder = self.embedder
        return try await index.search(KnowledgeQuery(text: text, top: top, minScore: minScore)) { embedder.embed($0) }
    }

    var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []).sorted()
    }
}
