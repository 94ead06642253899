import Planning
import Schema
import Testing

@testable import Serving

struct StepTypesTests {
    static let passage: JSONValue = [
        "document": "docs/a.md", "digest": "git:1", "start": 0, "end": 4, "text": "about hi", "score": 1.5,
    ]

    static let types: [(step: JSONValue, output: JSONValue)] = [
        (["set": ["a": "$.input.m", "b": [1, "$.input.none"]]], ["a": "hi", "b": [1, nil]]),
        (Specs.prompt("s", "$.input.m"), "HI"),
        (["model": "m", "with": ["input": "four"]], [4.0, 0.0]),
        (["model": "m", "with": ["input": ["a", "bcd"]]], [[1.0, 0.0], [3.0, 0.0]]),
        (["model": "m", "with": ["prompt": "$.input.m"]], "HI"),
        (["model": "m", "with": ["messages": [["role": "user", "content": "$.input.m"]]]], "HI"),
        (["retrieve": ["knowledgeBase": "policies", "query": "$.input.m", "top": 1]], [passage]),
        (["features": ["table": "orders", "key": "$.input.id"]], ["status": "shipped", "days": 2]),
        (["features": ["table": "orders", "key": "$.input.id", "columns": ["days"]]], ["days": 2]),
        (["features": ["table": "orders", "key": ["id": "$.input.id"]]], ["status": "shipped", "days": 2]),
        (["features": ["table": "orders", "key": "o-2"]], nil),
        (["http": StepFixture.http(), "with": ["q": "$.input.m"]], ["echo": ["query": [:], "body": ["q": "hi"]]]),
        (
            ["http": StepFixture.http(["query": ["q": "$.input.m", "no": "$.input.none"], "method": "GET"])],
            ["echo": ["query": ["q": "hi"], "body": nil]]
        ),
        (["http": StepFixture.http(["body": "$.input.m"])], ["echo": ["query": [:], "body": "hi"]]),
        (
            ["program": StepFixture.program("bin/score.py"), "with": ["q": "$.input.m"]],
            ["path": "bin/score.py", "input": ["q": "hi"]]
        ),
        (["chain": "inner", "with": ["m": "$.input.m"]], "HI"),
        (
            [
                "parallel": [
                    "steps": [
                        Specs.step(["name": "a", "set": "$.input.m"]), Specs.step(Specs.prompt("b", "$.input.m")),
                        Specs.step(["name": "c", "set": 1, "when": ["value": "$.input.none"]]),
                    ]
                ]
            ], ["a": "hi", "b": "HI"]
        ),
        (
            [
                "ensemble": [
                    "combine": "majority",
                    "steps": [
                        Specs.step(["name": "a", "set": "x"]), Specs.step(["name": "b", "set": "y"]),
                        Specs.step(["name": "c", "set": "y"]),
                    ],
                ]
            ], "y"
        ),
    ]

    @Test("every type of step gives its output, and leaves its record", arguments: types.indices)
    func output(index: Int) async throws {
        let (step, expected) = Self.types[index]
        let named = JSONValue.object(["name": "s"].merging(step.object ?? [:]) { $1 })
        let run = try await StepFixture().run([named], others: ["inner": [Specs.prompt("p", "$.input.m")]])
        #expect(run.error == nil)
        #expect(run.output == expected)
        let record = try #require(run.records.first)
        #expect(run.records.count == 1)
        #expect(record.status == .ok)
        #expect(record.name == "s")
        #expect(record.output == expected)
        #expect(step[record.type] != nil)
    }

    @Test(
        "what a step is not given is told with its path, and whose fault it is",
        arguments: [
            (
                ["retrieve": ["knowledgeBase": "policies", "query": "$.input.none", "top": 1]], "invalidInput",
                "its query"
            ),
            (
                ["features": ["table": "orders", "key": "$.input.none"]], "invalidInput",
                "its key must be a value for id"
            ),
            (["features": ["table": "orders", "key": ["other": 1]]], "failed", "its key"),
            (["model": "m", "with": ["input": 7]], "failed", "'input' must be a text"),
            (["model": "m"], "failed", "a model takes its tensors by name"),
            (["http": StepFixture.http(["url": "https://api.example/fail"])], "failed", "refused the call"),
        ] as [(JSONValue, String, String)]
    )
    func wrong(step: JSONValue, code: String, message: String) async throws {
        let named = JSONValue.object(["name": "s"].merging(step.object ?? [:]) { $1 })
        let run = try await StepFixture().run([named])
        #expect(run.error?.code.rawValue == code)
        #expect(run.error?.message.contains(message) == true)
        #expect(run.records.map(\.status) == [.failed])
    }

    @Test("what a server said is for the operator alone")
    func discretion() async throws {
        let run = try await StepFixture().run([
            ["name": "s", "http": StepFixture.http(["url": "https://api.example/fail"])]
        ])
        #expect(run.error?.message.contains("api.example") == false)
        #expect(run.records.first?.errorMessage == "https://api.example/fail said 500")
    }

    @Test("a failed member is left out, replaced, or fails its group, as its onError says")
    func members() async throws {
        func group(_ onError: JSONValue) -> JSONValue {
            let failing: JSONValue = ["name": "b", "http": StepFixture.http(["url": "https://api.example/fail"])]
            let member = JSONValue.object(failing.object!.merging(["onError": onError]) { $1 })
            return [
                "name": "g", "parallel": ["steps": [Specs.step(["name": "a", "set": 1]), Specs.step(member)]],
            ]
        }
        #expect(try await StepFixture().run([group("skip")]).output == ["a": 1])
        #expect(try await StepFixture().run([group(["use": "$.input.m"])]).output == ["a": 1, "b": "hi"])
        let failed = try await StepFixture().run([group("fail")])
        #expect(failed.error?.code == .failed)
        #expect(failed.records.first?.children.map(\.name) == ["a", "b"])
        #expect(failed.records.first?.children.last?.status == .failed)
    }

    @Test("the record of a nested, partly failed chain is its whole tree")
    func tree() async throws {
        let inner: [JSONValue] = [
            Specs.prompt("ask", "$.input.m"),
            ["name": "call", "http": StepFixture.http(["url": "https://api.example/fail"]), "onError": "skip"],
        ]
        let run = try await StepFixture().run(
            [
                [
                    "name": "both",
                    "parallel": [
                        "steps": [
                            Specs.step(["name": "chain", "chain": "inner", "with": ["m": "$.input.m"]]),
                            Specs.step([
                                "name": "find", "retrieve": ["knowledgeBase": "policies", "query": "x", "top": 2],
                            ]),
                        ]
                    ],
                ],
                ["name": "none", "set": 1, "when": ["value": "$.input.none"]],
            ],
            output: "$.steps.both.output.chain",
            others: ["inner": inner + [["name": "end", "set": "$.steps.ask.output"]]]
        )
        #expect(run.output == "HI")
        let words = Self.tree(run.records)
        #expect(
            words == [
                "both parallel ok", "  chain chain ok", "    ask prompt ok", "    call http failed", "    end set ok",
                "  find retrieve ok", "none set skipped",
            ]
        )
        let ask = run.records[0].children[0].children[0]
        #expect(ask.template?.resource == "default/greet")
        #expect(ask.usage == ScriptedCompletion.usage)
        #expect(run.records[0].children[0].usage == ScriptedCompletion.usage)
    }

    private static func tree(_ records: [StepRecord], depth: Int = 0) -> [String] {
        records.flatMap { record in
            ["\(String(repeating: "  ", count: depth))\(record.name) \(record.type) \(record.status.rawValue)"]
                + Self.tree(record.children.sorted { $0.name < $1.name }, depth: depth + 1)
        }
    }

    @Test("the last step's words stream, through the chain that it runs too")
    func streams() async throws {
        let model = ScriptedCompletion { _, _ in .says(["one ", "two"]) }
        let run = try await StepFixture(model).run(
            [["name": "s", "chain": "inner", "with": ["m": "$.input.m"]]],
            others: ["inner": [Specs.prompt("p", "$.input.m")]]
        )
        #expect(
            run.events == [
                .stepStarted("s"), .stepStarted("s/p"), .stepText("s", "one "), .stepText("s", "two"),
                .stepFinished("s/p", output: "one two"), .stepFinished("s", output: "one two"),
                .finished(output: "one two", usage: ScriptedCompletion.usage),
            ]
        )
    }

    @Test(
        "an output that doubles with every step, or that nests with every step, ends the chain",
        arguments: [30, 200]
    )
    func growth(count: Int) async throws {
        let steps = (1...count).map { index -> JSONValue in
            let before = JSONValue.string(index == 1 ? "$.input.m" : "$.steps.s\(index - 1).output")
            return ["name": .string("s\(index)"), "set": count == 30 ? ["a": before, "b": before] : [before]]
        }
        let run = try await StepFixture().run(steps)
        #expect(run.error?.code == .failed)
        #expect(run.error?.message.contains("has more than 16 MiB, or more than 128 levels") == true)
    }

    @Test("steps are told by their paths, however deep they are")
    func paths() async throws {
        let run = try await StepFixture().run(
            [["name": "a", "chain": "inner", "with": ["m": "$.input.m"]]],
            others: [
                "inner": [["name": "b", "chain": "innermost", "with": ["m": "$.input.m"]]],
                "innermost": [["name": "c", "set": "$.input.m"]],
            ]
        )
        let finished = run.events.compactMap { event in
            if case .stepFinished(let step, _) = event { step } else { nil }
        }
        #expect(finished == ["a/b/c", "a/b", "a"])
    }

    @Test("words that nobody may see are no reason not to try again")
    func retriesWithin() async throws {
        let model = ScriptedCompletion { _, number in number == 0 ? .breaksOff("one ") : .says(["two"]) }
        let prompt = Specs.prompt("p", "$.input.m", ["retries": ["attempts": 1, "backoff": "0s"]])
        let run = try await StepFixture(model).run(
            [["name": "s", "chain": "inner", "with": ["m": "$.input.m"], "onError": ["use": "none"]]],
            others: ["inner": [prompt]]
        )
        #expect(run.output == "two")
    }

    @Test("no more steps begin than the limit allows, whatever stands in for failures", arguments: [1, 3])
    func budget(limit: Int64) async throws {
        let run = try await StepFixture().run(
            [
                ["name": "s", "chain": "inner", "with": ["m": "$.input.m"], "onError": "skip"],
                ["name": "t", "set": "$.input.m"],
            ],
            limits: ["maxSteps": .integer(limit)],
            others: ["inner": [Specs.prompt("p", "$.input.m")]]
        )
        #expect((run.error?.message == nil) == (limit == 3))
        if limit == 1 {
            #expect(
                run.error?.message == "Chain/default/main began more than 1 steps, which its limits.maxSteps allows"
            )
        }
    }

    @Test("a write is not repeated: what came of it then is taken")
    func replay() async throws {
        let steps: [JSONValue] = [
            ["name": "w", "http": StepFixture.http(), "with": ["n": 1]],
            ["name": "r", "http": StepFixture.http(["effects": "read"]), "with": ["n": 2]],
        ]
        let output: JSONValue = ["w": "$.steps.w.output", "r": "$.steps.r.output"]
        let first = try await StepFixture().run(steps, output: output)
        var fixture = StepFixture()
        fixture.recorded = RecordedEffects(first.records)
        let second = try await fixture.run(steps, output: output)
        #expect(second.output == first.output)
        #expect(fixture.caller.calls == [["query": [:], "body": ["n": 2]]])
        fixture.recorded = RecordedEffects([])
        let third = try await fixture.run(steps, output: output)
        #expect(third.error?.message.contains("writes, which is not repeated") == true)
    }

    @Test(
        "an ensemble combines what there is",
        arguments: [
            ("mean", [1, 2, 6], 3), ("mean", [[1, 2], [3, 4]], [2, 3]),
            ("mean", [["a": [1]], ["a": [2]]], ["a": [1.5]]),
            ("mean", [1, "x"], nil), ("mean", [[1], [1, 2]], nil), ("first", ["x", "y"], "x"),
            ("list", [1, "x"], [1, "x"]), ("majority", [1, 1.0, 2], 1), ("majority", ["a", "b"], "a"),
            ("majority", [], nil),
        ] as [(String, [JSONValue], JSONValue?)]
    )
    func ensembles(word: String, outputs: [JSONValue], expected: JSONValue?) throws {
        let combination = try #require(ChainSpec.Ensemble.Combination(rawValue: word))
        let combined = try? combination.combine(outputs, of: "step 'e'")
        #expect(combined.map { $0.isSame(as: expected ?? nil) } ?? (expected == nil))
    }
}
