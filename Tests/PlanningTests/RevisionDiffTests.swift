import Planning
import Schema
import Testing

@Suite("Revision diff")
struct RevisionDiffTests {
    static let rows: [(words: String, change: @Sendable (inout Repository) throws -> Void)] = [
        (
            "PromptTemplate/default/reply changed in spec.messages[0].content",
            {
                try $0.change(.promptTemplate, "reply") {
                    $0["messages"] = [["role": "user", "content": "Answer at once."]]
                }
            }
        ),
        (
            "PromptTemplate/default/reply changed in spec.messages[1]",
            {
                try $0.change(.promptTemplate, "reply") {
                    $0["messages"] = [
                        ["role": "user", "content": "Answer it."], ["role": "user", "content": "Now."],
                    ]
                }
            }
        ),
        (
            "PromptTemplate/default/triage changed in spec.examples.dataset (data/shots.jsonl)",
            {
                $0.files["data/shots.jsonl"] = #"{"input":"a","output":"c"}"#
            }
        ),
        ("Model/default/deskhand changed in spec.source (its content)", { $0.files["models/deskhand.gguf"] = "new" }),
        (
            "Model/default/deskhand changed in spec.source.uri",
            {
                $0.files["models/v2.gguf"] = "new"
                try $0.change(.model, "deskhand") { $0["source"] = ["uri": "models/v2.gguf"] }
            }
        ),
        (
            "Model/default/deskhand changed in spec.options.slots, spec.resources.threads",
            {
                try $0.change(.model, "deskhand") {
                    $0["options"] = ["slots": 4]
                    $0["resources"] = ["threads": 2]
                }
            }
        ),
        (
            "Model/default/deskhand changed in spec.adapters[0].scale",
            {
                try $0.change(.model, "deskhand") {
                    $0["adapters"] = [["name": "formal", "source": ["uri": "models/formal.gguf"], "scale": 0.5]]
                }
            }
        ),
        ("Model/default/deskhand changed in spec", { try $0.change(.model, "deskhand") { $0["version"] = "2" } }),
        (
            "Chain/default/desk changed in spec.output",
            {
                try $0.change(.chain, "desk") { $0["output"] = "$.steps.reply.output" }
            }
        ),
        (
            "Endpoint/default/desk changed in spec.chat",
            {
                try $0.change(.endpoint, "desk") { $0["chat"] = ["output": "$.output"] }
            }
        ),
        (
            "Endpoint/default/desk changed in spec.serve.chain, spec.serve.model, Chain/default/desk and 2 more too",
            {
                try $0.change(.endpoint, "desk") { $0["serve"] = ["model": "deskhand"] }
            }
        ),
    ]

    @Test("A rollout's reason names the resource and the field", arguments: rows.indices)
    func reasons(index: Int) throws {
        var repository = try Repository.desk()
        let observed = ObservedState.converged(to: repository.build())
        try Self.rows[index].change(&repository)
        let plan = Planner.plan(
            desired: repository.build(commit: "c2"),
            observed: observed,
            now: Timestamp(milliseconds: 0)
        )
        let begin = try #require(plan.steps.first { $0.action.word == "beginRollout" })
        #expect(begin.reason == Self.rows[index].words)
        let words = Self.rows[index].words.split(separator: " ")
        #expect(begin.cause.resource.description == words[0])
        #expect(begin.cause.field.map { Self.rows[index].words.contains($0) } == true)
    }

    @Test(
        "Values differ by path",
        arguments: [
            (1, 1, []), (1, 2, ["spec"]), ([:], [], ["spec"]), (["a": 1], ["a": 1, "b": 2], ["spec.b"]),
            (["a": [1, 2]], ["a": [1, 3, 4]], ["spec.a[1]", "spec.a[2]"]),
            (["b": 1, "a": nil], ["b": 2], ["spec.a", "spec.b"]),
        ] as [(JSONValue, JSONValue, [String])]
    )
    func paths(old: JSONValue, new: JSONValue, fields: [String]) {
        #expect(JSONValue.changedFields(from: old, to: new, at: "spec") == fields)
        #expect(JSONValue.changedFields(from: new, to: old, at: "spec") == fields)
    }
}
