import Schema
import Testing

@testable import Serving

struct ChainProgressTests {
    /// Runs a chain whose prompt steps answer with their own message in capital letters; those in `failing` fail.
    private func run(
        _ steps: [JSONValue],
        output: JSONValue? = nil,
        input: JSONValue = ["m": "hi"],
        failing: Set<String> = []
    ) throws -> [String] {
        let plan = try ChainPlan(try Specs.chain(steps: steps, output: output), name: "c")
        var progress = ChainProgress(plan, input: input)
        var pending = progress.begin()
        var story: [String] = []
        while !pending.isEmpty {
            let decision = pending.removeFirst()
            story.append(self.word(decision, of: plan))
            guard case .run(let index, .call(let values)) = decision else { continue }
            if failing.contains(plan.steps[index].name) {
                pending += progress.fail(index, CallError(.failed, "no"))
            } else {
                let text = (values["message"]?.plainText ?? "nothing").uppercased()
                pending += progress.finish(index, output: .string(text))
            }
        }
        return story
    }

    private func word(_ decision: ChainProgress.Decision, of plan: ChainPlan) -> String {
        switch decision {
        case .run(let index, .call(let values)): "run \(plan.steps[index].name) \(values.canonicalJSON)"
        case .run(let index, _): "run \(plan.steps[index].name)"
        case .finished(let index, let value): "finished \(plan.steps[index].name) \(value.canonicalJSON)"
        case .skipped(let index): "skipped \(plan.steps[index].name)"
        case .failed(let index, let error): "failed \(plan.steps[index].name): \(error.message)"
        case .answer(let value): "answer \(value.canonicalJSON)"
        case .stop(let error): "stop \(error.code): \(error.message)"
        }
    }

    @Test("steps that wait for nothing start together, the others when what they refer to is there")
    func order() throws {
        let plan = try ChainPlan(
            try Specs.chain(steps: [
                Specs.prompt("c", "$.steps.a.output"), Specs.prompt("a", "$.input.m"), Specs.prompt("b", "x"),
                ["name": "d", "set": ["$.steps.a.output", "$.steps.b.output"]],
            ]),
            name: "c"
        )
        var progress = ChainProgress(plan, input: ["m": "hi"])
        #expect(progress.begin() == [.run(1, .call(["message": "hi"])), .run(2, .call(["message": "x"]))])
        #expect(progress.finish(2, output: "B") == [.finished(2, "B")])
        #expect(
            progress.finish(1, output: "A")
                == [.finished(1, "A"), .run(0, .call(["message": "A"])), .finished(3, ["A", "B"])]
        )
        #expect(progress.finish(0, output: "C") == [.finished(0, "C"), .answer(["A", "B"])])
    }

    static let either: JSONValue = ["firstOf": ["$.steps.a.output", "$.steps.b.output"]]

    @Test(
        "conditions, skipping and firstOf",
        arguments: [
            (
                "hi", ["value": "$.input.m", "in": ["hi", "ho"]], ["run a {\"message\":\"hi\"}", "skipped b"], "\"HI\""
            ),
            (
                "he", ["value": "$.input.m", "in": ["hi", "ho"]], ["skipped a", "run b {\"message\":\"he\"}"], "\"HE\""
            ),
            ("hi", ["value": "$.input.m", "equals": "hi"], ["run a {\"message\":\"hi\"}", "skipped b"], "\"HI\""),
            ("hi", ["value": "$.input.none", "equals": nil], ["skipped a", "run b {\"message\":\"hi\"}"], "\"HI\""),
            ("hi", ["value": "$.input.m"], ["run a {\"message\":\"hi\"}", "skipped b"], "\"HI\""),
            ("hi", ["value": "$.input.none"], ["skipped a", "run b {\"message\":\"hi\"}"], "\"HI\""),
            (
                "hi", ["all": [["value": "$.input.m"], ["not": ["value": "$.input.none"]]]],
                ["run a {\"message\":\"hi\"}", "skipped b"], "\"HI\""
            ),
            (
                "hi", ["any": [["value": false], ["value": nil]]], ["skipped a", "run b {\"message\":\"hi\"}"], "\"HI\""
            ),
        ] as [(JSONValue, JSONValue, [String], String)]
    )
    func conditions(message: JSONValue, when: JSONValue, first: [String], answer: String) throws {
        let steps = [
            Specs.prompt("a", "$.input.m", ["when": when]), Specs.prompt("b", "$.input.m", ["when": ["not": when]]),
        ]
        let story = try self.run(steps, output: Self.either, input: ["m": message])
        #expect(Array(story.prefix(2)) == first)
        #expect(story.last == "answer \(answer)")
    }

    @Test("a step that needs a skipped one is skipped too, unless firstOf offers something else")
    func skippingSpreads() throws {
        let never: JSONValue = ["when": ["value": false]]
        let story = try self.run(
            [
                Specs.prompt("a", "x", never), Specs.prompt("b", "$.steps.a.output"),
                ["name": "c", "set": ["deep": ["$.steps.b.output"]]],
                Specs.prompt("d", ["firstOf": ["$.steps.a.output", "$.input.m"]]),
            ],
            output: ["b": "$.steps.b.output", "d": "$.steps.d.output"]
        )
        #expect(
            story == [
                "skipped a", "skipped b", "skipped c", "run d {\"message\":\"hi\"}", "finished d \"HI\"",
                "answer {\"d\":\"HI\"}",
            ]
        )
    }

    @Test("what the input lacks is not given, and left out of objects")
    func absence() throws {
        let story = try self.run([
            Specs.prompt("a", "$.input.none"), ["name": "b", "set": ["x": "$.input.none", "y": ["$.input.none"]]],
        ])
        #expect(story == ["run a {}", "finished b {\"y\":[null]}", "finished a \"NOTHING\"", "answer {\"y\":[null]}"])
    }

    @Test(
        "onError decides what comes of a failure",
        arguments: [
            ("fail", ["failed a: no", "stop failed: no"]),
            (
                "skip",
                ["failed a: no", "skipped a", "run b {\"message\":\"hi\"}", "finished b \"HI\"", "answer \"HI\""]
            ),
            (["use": "spare"], ["failed a: no", "finished a \"spare\"", "skipped b", "answer \"spare\""]),
            (["use": "$.input.m"], ["failed a: no", "finished a \"hi\"", "skipped b", "answer \"hi\""]),
            (["use": "$.input.none"], ["failed a: no", "stop failed: no"]),
        ] as [(JSONValue, [String])]
    )
    func onError(onError: JSONValue, story: [String]) throws {
        let steps = [
            Specs.prompt("a", "x", ["onError": onError]),
            Specs.prompt("b", "$.input.m", ["when": ["not": ["value": "$.steps.a.output"]]]),
        ]
        let told = try self.run(steps, output: Self.either, failing: ["a"])
        #expect(told == ["run a {\"message\":\"x\"}"] + story)
    }

    @Test("a chain whose output refers only to skipped steps fails, and says so")
    func noOutput() throws {
        let story = try self.run([Specs.prompt("a", "x", ["when": ["value": nil]])])
        #expect(story.last == "stop failed: c has no output: what its output refers to was skipped or is absent")
    }

    @Test("a set that refers to nothing is the caller's fault when it refers to the input")
    func setOfNothing() throws {
        let story = try self.run([["name": "a", "set": "$.input.none"]])
        #expect(story.last == "stop invalidInput: step 'a': what it is set to refers to nothing")
    }
}
