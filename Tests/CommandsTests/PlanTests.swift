import Schema
import TestSupport
import Testing

@testable import Commands

/// `martlet plan` and `martlet diff` between two commits.
struct PlanTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    private func run(_ verb: [String], _ base: [String: String], _ head: [String: String]) async -> CommandLineRun {
        await CommandLineRun.run(
            verb + [self.folder.path, "--base", "old", "--head", "new"],
            repository: MemoryRepository(["old": base, "new": head])
        )
    }

    @Test("The same manifests, or the same with other words around them, are no difference")
    func same() async {
        let commented = "# A comment.\n" + (Manifests.desk["prompts/reply.yaml"] ?? "")
        let head = Manifests.desk(["prompts/reply.yaml": nil, "elsewhere.yaml": commented])
        let plan = await self.run(["plan"], Manifests.desk, head)
        #expect(plan.code == 0)
        #expect(
            plan.output == """
                Plan from old (6f6c640000) to new (6e65770000)
                It assumes that old (6f6c640000) has converged.

                Nothing to do.

                """
        )
        let diff = await self.run(["diff"], Manifests.desk, head)
        #expect(diff.code == 0)
        #expect(diff.output == "no difference between old (6f6c640000) and new (6e65770000)\n")
        #expect(plan.errors.isEmpty && diff.errors.isEmpty)
    }

    @Test("A changed prompt rolls the endpoint, and both verbs name the field")
    func changedPrompt() async throws {
        let head = Manifests.desk(["prompts/reply.yaml": Manifests.reply("Dear {{message}}")])
        let plan = await self.run(["plan"], Manifests.desk, head)
        #expect(plan.code == 1)
        #expect(
            plan.output.contains("  ~ PromptTemplate/default/reply (prompts/reply.yaml): spec.messages[0].content\n")
        )
        #expect(plan.output.contains("rolls (immediate)"))
        #expect(plan.output.contains("PromptTemplate/default/reply changed in spec.messages[0].content"))
        // The weights stay where they are.
        #expect(!plan.output.contains("  load  "))
        #expect(plan.output.contains("35 B before, 35 B at the peak, 35 B after"))
        let diff = await self.run(["diff"], Manifests.desk, head)
        #expect(diff.code == 1)
        #expect(
            diff.output == """
                ~ PromptTemplate/default/reply   (prompts/reply.yaml:1:1)
                    spec.messages[0].content
                    - "{{message}}"
                    + "Dear {{message}}"

                """
        )
    }

    @Test("A model file that changes without its manifest is loaded beside the old one")
    func changedContent() async {
        let head = Manifests.desk(["models/tiny.jsonl": "{\"default\": true, \"output\": \"no\"}\n"])
        let plan = await self.run(["plan"], Manifests.desk, head)
        #expect(plan.code == 1)
        #expect(plan.output.contains("~ Model/default/tiny (models/tiny.yaml): spec.source (its content)"))
        #expect(plan.output.contains("35 B before, 69 B at the peak, 34 B after"))
        let diff = await self.run(["diff", "-o", "json"], Manifests.desk, head)
        #expect(diff.code == 1)
        #expect(diff.output.contains("\"path\" : \"spec.source (its content)\""))
    }

    @Test("What is added, removed and relabelled is told apart")
    func addedAndRemoved() async {
        let desk = (Manifests.desk["desk.yaml"] ?? "").replacing("team: support", with: "team: sales")
        let second = (Manifests.desk["models/tiny.yaml"] ?? "").replacing("name: tiny", with: "name: second")
        let base = Manifests.desk(["old.yaml": second.replacing("name: second", with: "name: first")])
        let diff = await self.run(["diff"], base, Manifests.desk(["second.yaml": second, "desk.yaml": desk]))
        #expect(
            diff.output == """
                ~ Endpoint/default/desk   (desk.yaml:11:1)
                    metadata.labels.team
                    - "support"
                    + "sales"
                - Model/default/first   (old.yaml:1:1)
                + Model/default/second   (second.yaml:1:1)

                """
        )
    }

    @Test("An endpoint that leaves is taken down")
    func leaves() async {
        let head = Manifests.desk(["desk.yaml": nil])
        let plan = await self.run(["plan"], Manifests.desk, head)
        #expect(plan.code == 1)
        #expect(plan.output.contains("  - Endpoint/default/desk (desk.yaml)\n"))
        #expect(plan.output.contains("leaves"))
        #expect(plan.output.contains("35 B before, 35 B at the peak, 0 B after"))
    }

    @Test("Errors of the newer side end with 2; the document that has them is not called removed")
    func errors() async {
        let head = Manifests.desk(["prompts/reply.yaml": Manifests.reply("x").replacing("messages:", with: "mesages:")])
        for verb in ["plan", "diff"] {
            let run = await self.run([verb], Manifests.desk, head)
            #expect(run.code == 2)
            #expect(run.errors.contains("prompts/reply.yaml:6:3: error: unknown field 'mesages'"))
            #expect(run.errors.hasSuffix("error: new (6e65770000) has 2 errors\n"))
            #expect(!run.output.contains("- PromptTemplate"))
        }
    }

    @Test("A repository without a commit has everything before it; then the plan starts from nothing")
    func fromNothing() async throws {
        try self.folder.write("tiny.yaml", Array((Manifests.desk["models/tiny.yaml"] ?? "").utf8))
        let run = await CommandLineRun.run(["plan", self.folder.path], repository: MemoryRepository([:]))
        #expect(run.output.hasPrefix("Plan from nothing to the work tree\nIt assumes that nothing runs yet.\n"))
        #expect(run.errors.contains("tiny.yaml:4:38: error: 'models/tiny.jsonl' is not in the work tree"))
    }

    @Test("A plan that does not fit into memory waits, with the numbers")
    func memory() async {
        let model = (Manifests.desk["models/tiny.yaml"] ?? "")
            .replacing("spec: {", with: "spec: {resources: {memory: 3Gi}, ")
        let run = await self.run(
            ["plan", "--memory-budget", "2Gi"],
            ["other.yaml": "a: b\n"],
            Manifests.desk(["models/tiny.yaml": model])
        )
        #expect(run.code == 1)
        #expect(run.output.contains("Waits\n  Endpoint/default/desk: "))
        #expect(run.output.contains("3 GiB"))
    }

    private static let rank = """
        apiVersion: martlet.dev/v1
        kind: Endpoint
        metadata: {name: rank}
        spec: {serve: {model: rank}, access: {anonymous: true}}
        ---
        apiVersion: martlet.dev/v1
        kind: Model
        metadata: {name: rank}
        spec: {engine: replay, load: lazy, source: {uri: models/rank.jsonl}, resources: {memory: 3Mi}}

        """

    @Test(
        "Models that requests have loaded are told apart from those that stay loaded, against the budget",
        arguments: [
            (nil, "together"), ("8Mi", "together; the budget has room for all of them"),
            (
                "4Mi",
                "together; the budget leaves 4 MiB for them, so that those used least recently make room for others"
            ),
            ("2Mi", "together; the budget leaves 2 MiB for them, less than the largest takes"),
        ] as [(String?, String)]
    )
    func lazyModels(budget: String?, words: String) async throws {
        let small = Self.rank.replacing("rank", with: "small").replacing("3Mi", with: "2Mi")
        let head = Manifests.desk([
            "rank.yaml": Self.rank, "models/rank.jsonl": "{\"default\": true, \"output\": \"3\"}\n",
            "small.yaml": small, "models/small.jsonl": "{\"default\": true, \"output\": \"2\"}\n",
        ])
        let arguments = ["plan"] + (budget.map { ["--memory-budget", $0] } ?? [])
        // What the eager model takes is the size of its file, 35 bytes, too little to be seen beside the others.
        let run = await self.run(arguments, Manifests.desk, head)
        #expect(
            run.output.contains(
                "loaded on demand besides: 2 lazy models, 3 MiB the largest, 5 MiB \(words)\n"
            ),
            "\(run.output)"
        )
        #expect(run.output.contains("Memory\n  35 B before, 35 B at the peak"))
        let json = await self.run(arguments + ["-o", "json"], Manifests.desk, head)
        let memory = try JSONValue(parsing: json.output)["memory"]
        #expect(memory?["lazy"] == ["models": 2, "largest": .integer(3 << 20), "total": .integer(5 << 20)])
        #expect(memory?["after"] == 35)
    }

    @Test("A model that another resource keeps loaded is no lazy one")
    func sharedByAnEagerOne() async throws {
        let eager = Self.rank.replacing("name: rank", with: "name: keep").replacing("model: rank", with: "model: keep")
            .replacing("load: lazy, ", with: "")
        let head = Manifests.desk([
            "rank.yaml": Self.rank + "---\n" + eager,
            "models/rank.jsonl": "{\"default\": true, \"output\": \"3\"}\n",
        ])
        let run = await self.run(["plan", "-o", "json"], Manifests.desk, head)
        let memory = try JSONValue(parsing: run.output)["memory"]
        #expect(memory?["lazy"] == nil)
        #expect(memory?["after"] == .integer(35 + 3 << 20))
    }

    @Test("What this version cannot do is named and left out")
    func unavailable() async {
        let desk = (Manifests.desk["desk.yaml"] ?? "") + "  rollout: {strategy: canary, steps: [{setWeight: 5}]}\n"
        let run = await self.run(["plan"], Manifests.desk, Manifests.desk(["desk.yaml": desk]))
        #expect(run.output.contains("desk.yaml:11:1: rollout strategy 'canary' is not available in this version"))
        let markdown = await self.run(["plan", "-o", "markdown"], Manifests.desk, Manifests.desk(["desk.yaml": desk]))
        #expect(markdown.output.contains("**Not applied**\n\n- `desk.yaml:11:1`: rollout strategy 'canary'"))
    }

    @Test("The Markdown is what a reviewer is meant to see")
    func markdown() async throws {
        let head = Manifests.desk(["prompts/reply.yaml": Manifests.reply("Dear {{message}}")])
        let run = await self.run(["plan", "-o", "markdown"], Manifests.desk, head)
        #expect(run.code == 1)
        #expect(
            run.output == """
                ### Martlet plan from old (6f6c640000) to new (6e65770000)

                1 endpoint rolls. It assumes that old (6f6c640000) has converged.

                | Endpoint | From | To | How | Why |
                | --- | --- | --- | --- | --- |
                | `default/desk` | `9ce4e4ce78` | `dda938a366` | rolls (immediate) | \
                PromptTemplate/default/reply changed in spec.messages\\[0\\].content, by way of Chain/default/desk |

                |  | Resource | File | Fields |
                | --- | --- | --- | --- |
                | changed | `PromptTemplate/default/reply` | `prompts/reply.yaml` | `spec.messages[0].content` |

                **Memory**

                - 35 B before, 35 B at the peak, 35 B after
                - not measured yet, taken by the size of their files: Model/default/tiny

                <details><summary>6 steps</summary>

                1. **beginRollout** `default/desk#dda938a366`: \
                PromptTemplate/default/reply changed in spec.messages\\[0\\].content
                2. **start** `default/desk#dda938a366`: dda938a366 does not run yet
                3. **setTraffic** `default/desk dda938a366=100%`: dda938a366 is ready to take over from 9ce4e4ce78
                4. **promote** `default/desk#dda938a366`: all requests are answered by dda938a366
                5. **drain** `default/desk#9ce4e4ce78`: dda938a366 answers instead
                6. **stop** `default/desk#9ce4e4ce78`: dda938a366 answers instead

                </details>

                """
        )
    }

    @Test("The JSON is the admin API's plan with what changed around it")
    func json() async throws {
        let head = Manifests.desk(["prompts/reply.yaml": Manifests.reply("Dear {{message}}")])
        let run = await self.run(["plan", "-o", "json"], Manifests.desk, head)
        let report = try JSONValue(parsing: run.output)
        #expect(report["plan"]?["commit"]?.string == MemoryRepository.id("new"))
        #expect(report["changes"]?.array?.first?["fields"]?.array?.first?["new"]?.string == "Dear {{message}}")
        #expect(report["variants"]?.array?.first?["verb"]?.string == "rolls")
        #expect(report["isConverged"] == false)
    }

    @Test(
        "A side that is not there ends with 2",
        arguments: [["--base", "nope"], ["--head", "nope"], ["--path", "no"]]
    )
    func missing(arguments: [String]) async {
        let repository = MemoryRepository(["HEAD": Manifests.desk])
        for verb in ["plan", "diff"] {
            let run = await CommandLineRun.run([verb, self.folder.path] + arguments, repository: repository)
            #expect(run.code == 2)
            #expect(run.errors.hasPrefix("error: there is no"))
        }
    }

    @Test("Text of others is neither formatting nor a mention")
    func escaping() {
        #expect(Markdown.prose("*a* @me #1 <b>\n| x") == "\\*a\\* @<!-- -->me #<!-- -->1 \\<b\\> \\| x")
        #expect(Markdown.code("a`b|c") == "`a'b\\|c`")
    }
}
