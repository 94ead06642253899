import Planning
import Schema
import Testing

@testable import ManifestYAML

@Suite("Places of fields that break policies")
struct FieldLocatorTests {
    private static let manifest = """
        # A comment, and a document of somebody else.
        kind: ConfigMap
        ---
        apiVersion: martlet.dev/v1
        kind: Model
        metadata:
          name: tiny
        spec:
          engine: replay
          source: {uri: tiny.jsonl}
          resources:
            threads: 1
            memory: 2Gi
          card:
            owner: desk
        ---
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: tiny}
        spec: {serve: {model: tiny}, replicas: {min: 1, max: 9}}

        """

    @Test(arguments: [
        ("engines: {allow: [llama]}", "a.yaml:9:11: error: spec.engine: "),
        ("limits: {memory: 1Gi}", "a.yaml:13:13: error: spec.resources.memory: "),
        ("limits: {replicas: 2}", "a.yaml:20:54: error: spec.replicas.max: "),
        ("require: {card: [license]}", "a.yaml:15:5: error: spec.card: "),
        ("{match: {kinds: [Model]}, require: {labels: [team]}}", "a.yaml:7:3: error: metadata.labels: "),
    ])
    func findingsPointAtTheirFields(_ spec: String, _ place: String) throws {
        let policy = """
            apiVersion: martlet.dev/v1
            kind: Policy
            metadata: {name: house}
            spec: \(spec.hasPrefix("{") ? spec : "{\(spec)}")

            """
        let files = ["a.yaml": Self.manifest, "tiny.jsonl": "", "policy.yaml": policy]
        let repository = MemoryRepository()
        repository.commit("one", texts: files)
        var loader = DesiredStateLoader(repository: repository, subpath: "", namespace: "default")
        let state = try loader.load(try repository.resolve("one"))
        #expect(state.policyReview.allFindings.count == 1)
        #expect(state.diagnostics.map(\.description).contains { $0.hasPrefix(place) }, "\(state.diagnostics)")
    }
}
