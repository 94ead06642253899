import Planning
import Schema
import Testing

@Suite("Desired state")
struct DesiredStateBuilderTests {
    private static let desk = VariantID(namespace: "default", endpoint: "desk")

    private func revision(_ repository: Repository) -> Revision? {
        repository.build().variants[Self.desk]?.revision
    }

    @Test("An endpoint reaches its chain, templates, models and the rows of its datasets")
    func reaches() throws {
        let state = try Repository.desk().build()
        let graph = try #require(state.variants[Self.desk])
        #expect(graph.chains.map(\.identity.name) == ["desk"])
        #expect(graph.templates.map(\.identity.name) == ["reply", "triage"])
        #expect(graph.templates[1].examples == [.init(input: "a", output: "b")])
        #expect(graph.models.map(\.identity.name) == ["deskhand"])
        #expect(graph.models[0].instance.adapters.map(\.name) == ["formal"])
        #expect(graph.models[0].instance.artifact?.path == "models/deskhand.gguf")
        #expect(graph.commit == "c1")
        #expect(state.settings.keys.map(\.name) == ["desk"])
        #expect(state.blocked.isEmpty && state.diagnostics.isEmpty)
    }

    // A changed digest here means that a new Martlet rolls every endpoint there is: that must be a decision.
    @Test("Revisions are frozen")
    func golden() throws {
        let state = try Repository.desk().build()
        let graph = try #require(state.variants[Self.desk])
        #expect(graph.revision.digest.hex == "337fc503e6dc20f06ba1cb4c821173734eedf3606094ec93fb59a7dc71cc543f")
        #expect(
            graph.models[0].instance.key.digest.hex
                == "d181ffb0a66762cccc7791474acdc43ba433b228ddea43fe15d2f389c6192b81"
        )
        #expect(
            state.settings[Self.desk.resource]?.revision.digest.hex
                == "bccb08fd929a4b8ba08938095823e25efd1f9a1778c565930110a773af8b8d99"
        )
    }

    static let sameRevision: [(String, @Sendable (inout Repository) throws -> Void)] = [
        ("labels", { try $0.add(.endpoint, "desk", ["serve": ["chain": "desk"]], labels: ["team": "a"]) }),
        ("a moved manifest", { try $0.add(.endpoint, "desk", ["serve": ["chain": "desk"]], path: "x.yaml") }),
        ("settings", { try $0.change(.endpoint, "desk") { $0["replicas"] = ["min": 2, "max": 2] } }),
        ("access", { try $0.change(.endpoint, "desk") { $0["access"] = nil } }),
        ("a default spelt out", { try $0.change(.model, "deskhand") { $0["load"] = "eager" } }),
        ("a resource that nothing reaches", { try $0.add(.promptTemplate, "new", ["messages": []]) }),
        (
            "a tenant's own version",
            {
                $0.unavailable = .none
                try $0.change(.endpoint, "desk") {
                    $0["tenants"] = [["tenant": "acme", "serve": ["model": "deskhand"]]]
                }
            }
        ),
    ]

    @Test("What is no part of the answer changes no revision", arguments: sameRevision.indices)
    func staysTheSame(index: Int) throws {
        var repository = try Repository.desk()
        let before = self.revision(repository)
        try Self.sameRevision[index].1(&repository)
        #expect(self.revision(repository) == before, "\(Self.sameRevision[index].0)")
        #expect(before != nil)
    }

    static let newRevision: [(String, @Sendable (inout Repository) throws -> Void)] = [
        ("a prompt", { try $0.change(.promptTemplate, "reply") { $0["parameters"] = ["temperature": 0] } }),
        ("a chain", { try $0.change(.chain, "desk") { $0["output"] = "$.steps.reply.output" } }),
        ("the chat mapping", { try $0.change(.endpoint, "desk") { $0["chat"] = ["output": "$.output"] } }),
        ("what is served", { try $0.change(.endpoint, "desk") { $0["serve"] = ["model": "deskhand"] } }),
        ("a model's option", { try $0.change(.model, "deskhand") { $0["options"] = ["slots": 2] } }),
        ("the model's file", { $0.files["models/deskhand.gguf"] = "other weights" }),
        ("an adapter's file", { $0.files["models/formal.gguf"] = "other adapter" }),
        ("a dataset's rows", { $0.files["data/shots.jsonl"] = #"{"input":"a","output":"c"}"# }),
        (
            "the number of examples",
            {
                try $0.change(.promptTemplate, "triage") { $0["examples"] = ["dataset": "shots", "limit": 1] }
            }
        ),
    ]

    @Test("What is part of the answer makes a new revision", arguments: newRevision.indices)
    func changes(index: Int) throws {
        var repository = try Repository.desk()
        let before = self.revision(repository)
        try Self.newRevision[index].1(&repository)
        let after = self.revision(repository)
        #expect(after != nil && after != before, "\(Self.newRevision[index].0)")
    }

    @Test("Settings have a revision of their own, which what is served does not touch")
    func settings() throws {
        var repository = try Repository.desk()
        let before = repository.build().settings[Self.desk.resource]?.revision
        try repository.change(.endpoint, "desk") { $0["chat"] = ["output": "$.output"] }
        #expect(repository.build().settings[Self.desk.resource]?.revision == before)
        try repository.change(.endpoint, "desk") { $0["access"] = nil }
        #expect(repository.build().settings[Self.desk.resource]?.revision != before)
    }

    @Test("A tenant's own version is a variant of its own")
    func tenants() throws {
        var repository = try Repository.desk()
        repository.unavailable = .none
        try repository.change(.endpoint, "desk") {
            $0["tenants"] = [["tenant": "acme", "serve": ["model": "deskhand"]]]
        }
        let state = repository.build()
        let own = try #require(state.variants[VariantID(namespace: "default", endpoint: "desk", tenant: "acme")])
        #expect(own.chains.isEmpty && own.models.count == 1)
        #expect(own.revision != state.variants[Self.desk]?.revision)
    }

    static let obstacles:
        [(name: String, culprit: String, words: String, change: @Sendable (inout Repository) throws -> Void)] = [
            (
                "a chain that is not there", "Chain/default/gone", "there is no Chain/default/gone",
                {
                    try $0.change(.endpoint, "desk") { $0["serve"] = ["chain": "gone"] }
                }
            ),
            (
                "a chain with errors", "Chain/default/desk", "unknown field",
                {
                    let chain = Repository.identity(.chain, "desk")
                    $0.resources[chain] = nil
                    $0.broken = [chain]
                    $0.diagnostics = [
                        Diagnostic(
                            at: SourceLocation(path: "c.yaml", line: 3, column: 1),
                            "unknown field 'stps'",
                            resource: chain
                        )
                    ]
                }
            ),
            (
                "a template whose file cannot be read", "PromptTemplate/default/reply", "cannot be read",
                {
                    let template = Repository.identity(.promptTemplate, "reply")
                    $0.resources[template] = nil
                    $0.retained = [template]
                }
            ),
            (
                "a model's file that is not there", "Model/default/deskhand", "there is no file 'models/deskhand.gguf'",
                {
                    $0.files["models/deskhand.gguf"] = nil
                }
            ),
            (
                "an adapter's file that is not there", "Model/default/deskhand",
                "there is no file 'models/formal.gguf'",
                {
                    $0.files["models/formal.gguf"] = nil
                }
            ),
            (
                "an adapter that the model does not have", "Chain/default/desk", "has no adapter 'formal'",
                {
                    try $0.change(.model, "deskhand") { $0["adapters"] = nil }
                }
            ),
            (
                "a dataset with a bad row", "Dataset/default/shots",
                "data/shots.jsonl:2:1: a row needs the column 'output'",
                {
                    $0.files["data/shots.jsonl"] = "{\"input\":1,\"output\":2}\n{\"input\":1}"
                }
            ),
            (
                "a canary", "Endpoint/default/desk", "rollout strategy 'canary' is not available in this version",
                {
                    try $0.change(.endpoint, "desk") {
                        $0["rollout"] = ["strategy": "canary", "steps": [["setWeight": 5]]]
                    }
                }
            ),
            (
                "a source by https", "Model/default/deskhand", "a source by https:// is not available in this version",
                {
                    try $0.change(.model, "deskhand") {
                        $0["source"] = ["uri": "https://example.org/a", "sha256": "00"]
                    }
                }
            ),
        ]

    @Test(
        "An endpoint is blocked by name, keeps its settings, and leaves the others alone",
        arguments: obstacles.indices
    )
    func blocks(index: Int) throws {
        let row = Self.obstacles[index]
        var repository = try Repository.desk()
        repository.files["models/other.gguf"] = "other"
        try repository.add(.model, "other", ["engine": "llama", "source": ["uri": "models/other.gguf"]])
        try repository.add(.endpoint, "other", ["serve": ["model": "other"]])
        try row.change(&repository)
        let state = repository.build()
        let blocker = try #require(state.blocked[Self.desk.resource])
        #expect(blocker.resource.description == row.culprit)
        #expect(blocker.message.contains(row.words), "\(blocker.message)")
        #expect(state.variants.keys.map(\.endpoint) == ["other"])
        #expect(state.settings[Self.desk.resource] != nil)
        #expect(state.blocked.keys.allSatisfy { repository.resources[$0] != nil || repository.broken.contains($0) })
    }

    @Test("A missing file is reported at the field that names it, once")
    func missingArtifact() throws {
        var repository = try Repository.desk()
        repository.files["models/deskhand.gguf"] = nil
        try repository.add(.endpoint, "second", ["serve": ["model": "deskhand"]])
        let diagnostics = repository.build().diagnostics
        #expect(
            diagnostics.map(\.description) == [
                "models/deskhand.yaml:7:12: error: there is no file 'models/deskhand.gguf' in the commit"
            ]
        )
        #expect(diagnostics.first?.resource == Repository.identity(.model, "deskhand"))
    }

    @Test("A dangling reference is reported once, whoever sees it first")
    func dangling() throws {
        var repository = try Repository.desk()
        try repository.change(.endpoint, "desk") { $0["serve"] = ["chain": "dsk"] }
        let place = SourceLocation(path: "endpoints/desk.yaml", line: 5, column: 17)
        #expect(
            repository.build().diagnostics == [
                Diagnostic(
                    at: place,
                    "there is no Chain/default/dsk; did you mean 'desk'?",
                    resource: Self.desk.resource
                )
            ]
        )
        let earlier = Diagnostic(at: place, "no such chain", resource: Self.desk.resource)
        repository.diagnostics = [earlier]
        #expect(repository.build().diagnostics == [earlier])
    }

    @Test("A kind of later blocks nothing")
    func laterKinds() throws {
        var repository = try Repository.desk()
        try repository.add(.monitor, "desk-slo", ["endpoint": "desk", "checks": []])
        let state = repository.build()
        #expect(state.blocked.isEmpty)
        #expect(state.variants.count == 1)
    }

    @Test("A revision that is known already is taken from the state before, whose dataset is not read again")
    func reuses() throws {
        var repository = try Repository.desk()
        let first = repository.build(commit: "c1")
        try repository.add(.model, "unused", ["engine": "llama", "source": ["uri": "models/deskhand.gguf"]])
        let second = repository.build(commit: "c2", previous: first)
        #expect(second.variants == first.variants)
        #expect(second.commit.id == "c2")
        repository.files["data/shots.jsonl"] = #"{"input":"new","output":"b"}"#
        let third = repository.build(commit: "c3", previous: second)
        #expect(third.variants[Self.desk]?.commit == "c3")
        #expect(third.variants[Self.desk]?.templates.last?.examples.first?.input == "new")
    }

    @Test("A commit that asks for what has converged plans nothing")
    func converged() throws {
        let state = try Repository.desk().build()
        let observed = ObservedState.converged(to: state)
        let plan = Planner.plan(desired: state, observed: observed, now: Timestamp(milliseconds: 5))
        #expect(plan.steps.isEmpty && plan.waits.isEmpty)
        #expect(observed.facts.variants[Self.desk]?.promoted == state.variants[Self.desk]?.revision)
    }
}
