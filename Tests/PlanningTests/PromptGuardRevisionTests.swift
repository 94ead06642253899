import Planning
import Schema
import Testing

@Suite("Guards in revisions")
struct PromptGuardRevisionTests {
    private static let desk = VariantID(namespace: "default", endpoint: "desk")

    private func repository(_ guards: JSONValue? = nil, embedder: JSONValue = [:]) throws -> Repository {
        var repository = try Repository.desk()
        repository.files["models/minilm.gguf"] = "vectors"
        try repository.add(
            .model,
            "minilm",
            .object(
                ["engine": "llama", "source": ["uri": "models/minilm.gguf"]].merging(embedder.object ?? [:]) { $1 }
            )
        )
        try repository.change(.promptTemplate, "reply") { $0["guards"] = guards }
        return repository
    }

    private static let topics: JSONValue = [
        "input": [["topics": ["allow": ["returns"], "model": "minilm"]]]
    ]

    @Test("The model that knows the topics of a guard is reached, and another one is another revision")
    func model() throws {
        let graph = try #require(try self.repository(Self.topics).build().variants[Self.desk])
        #expect(graph.models.map(\.identity.name) == ["deskhand", "minilm"])
        guard case .topics(let topics)? = graph.templates.first?.spec.guards?.input.first?.rule else {
            Issue.record("the guard is lost")
            return
        }
        #expect(topics.minSimilarity == 0.3)
        var changed = try self.repository(Self.topics)
        changed.files["models/minilm.gguf"] = "other vectors"
        #expect(changed.build().variants[Self.desk]?.revision != graph.revision)
        let without = try self.repository()
        var alone = without
        alone.files["models/minilm.gguf"] = "other vectors"
        #expect(alone.build().variants[Self.desk]?.revision == without.build().variants[Self.desk]?.revision)
    }

    @Test(
        "Each part of a guard is part of the revision; what is spelt out as the default is not",
        arguments: [
            (["input": [["maxTokens": 6]]], true), (["input": [["maxTokens": 5, "action": "flag"]]], true),
            (["output": [["maxTokens": 5]]], true), (["input": [["deny": ["pattern": "x"]]]], true),
            (["input": [["maxTokens": 5, "action": "refuse"]], "output": []], false),
        ] as [(JSONValue, Bool)]
    )
    func parts(guards: JSONValue, isOther: Bool) throws {
        let before = try self.repository(["input": [["maxTokens": 5]]]).build().variants[Self.desk]?.revision
        #expect((try self.repository(guards).build().variants[Self.desk]?.revision != before) == isOther)
    }

    @Test("A guard whose model is not there blocks its template")
    func missing() throws {
        var repository = try Repository.desk()
        try repository.change(.promptTemplate, "reply") { $0["guards"] = Self.topics }
        #expect(repository.build().blocked[Self.desk.resource]?.message.contains("minilm") == true)
    }
}
