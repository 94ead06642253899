import Schema
import Testing

@testable import Serving

struct ChainPlanTests {
    @Test(
        "a chain that cannot run is refused when it is compiled",
        arguments: [
            ([Specs.prompt("a", "$.steps.b.output")], nil, "ReferenceInvalid"),
            ([Specs.prompt("a", "$.elsewhere")], nil, "ReferenceInvalid"),
            ([Specs.prompt("a", "$.steps.a")], nil, "ReferenceInvalid"),
            ([Specs.prompt("a", "$..x")], nil, "ReferenceInvalid"),
            ([Specs.prompt("a", "$.steps.a.output")], nil, "ChainInvalid"),
            ([Specs.prompt("a", "$.steps.b.output"), Specs.prompt("b", "$.steps.a.output")], nil, "ChainInvalid"),
            ([Specs.prompt("a", "x"), Specs.prompt("a", "y")], nil, "ChainInvalid"),
            ([], nil, "ChainInvalid"),
            ([Specs.prompt("a", "x")], "$.steps.z.output", "ReferenceInvalid"),
            (
                [["name": "a", "parallel": ["steps": [Specs.step(["name": "b", "set": "$.steps.c.output"])]]]], nil,
                "ReferenceInvalid"
            ),
            (
                [
                    [
                        "name": "a",
                        "parallel": [
                            "steps": [Specs.step(["name": "b", "set": 1]), Specs.step(["name": "b", "set": 2])]
                        ],
                    ]
                ],
                nil, "ChainInvalid"
            ),
        ] as [([JSONValue], JSONValue?, String)]
    )
    func refused(steps: [JSONValue], output: JSONValue?, code: String) throws {
        let spec = try Specs.chain(steps: steps, output: output)
        let error = #expect(throws: MartletError.self) { try ChainPlan(spec, name: "Chain/default/c") }
        #expect(error?.code == code)
    }

    static let both: JSONValue = ["firstOf": ["$.steps.a.output", "$.steps.b.output"]]

    @Test(
        "words stream only from steps whose whole output may be the answer, and that nothing replaces",
        arguments: [
            (nil, [:], ["b"], [false, true]),
            ("$.steps.a.output", [:], ["a"], [true, false]),
            ("$.steps.a.output.text", [:], [], [false, false]),
            (both, [:], ["a", "b"], [true, true]),
            (["firstOf": ["$.steps.a.output.x", "$.steps.b.output"]], [:], [], [false, false]),
            (["firstOf": ["$.steps.a.output", "none", "$.steps.b.output"]], [:], ["a"], [true, false]),
            (
                ["firstOf": [["firstOf": ["$.steps.a.output", "none"]], "$.steps.b.output"]], [:], ["a"], [true, false]
            ),
            (["firstOf": [both, "none"]], [:], ["a", "b"], [true, true]),
            (["answer": "$.steps.a.output"], [:], [], [false, false]),
            ("$.steps.a.output", ["onError": "skip"], ["a"], [false, false]),
        ] as [(JSONValue?, JSONValue, [String], [Bool])]
    )
    func streaming(output: JSONValue?, change: JSONValue, candidates: [String], mayStream: [Bool]) throws {
        let plan = try self.plan(output: output, change: change)
        #expect(plan.answerCandidates == candidates)
        #expect(plan.mayStream == mayStream)
    }

    @Test(
        "what chat.output refers to is followed through the chain's output to the steps that may be the answer",
        arguments: [
            (["reply": "$.steps.a.output", "n": 1], "$.output.reply", ["a"], [true, false]),
            (["reply": both, "ticket": "$.steps.b.output.id"], "$.output.reply", ["a", "b"], [true, true]),
            (["x": ["y": "$.steps.b.output"]], "$.output['x'].y", ["b"], [false, true]),
            (["x": ["y": "$.steps.b.output"]], "$.output.x", [], [false, false]),
            (["reply": "$.steps.a.output"], "$.output.other", [], [false, false]),
            (["reply": "$.steps.a.output.text"], "$.output.reply", [], [false, false]),
            (["reply": "$.steps.a.output"], "$.output.reply.text", [], [false, false]),
            (["reply": ["$.steps.a.output"]], "$.output.reply[0]", [], [false, false]),
            (["reply": "fixed"], "$.output.reply", [], [false, false]),
            (["reply": "$.steps.a.output"], "$.output", [], [false, false]),
            (["reply": "$.steps.a.output"], "$.elsewhere.reply", [], [false, false]),
            (
                ["x": "$.steps.b.output", "y": "$.steps.a.output"],
                ["firstOf": ["$.output.x", "$.output.y"]], ["b", "a"], [true, true]
            ),
            (
                ["x": "$.steps.a.output", "y": "$.steps.b.output"],
                ["firstOf": ["$.output.x", "none", "$.output.y"]], ["a"], [true, false]
            ),
            // The chain's own stream still shows the words of what the chain itself gives.
            ("$.steps.a.output", "$.output.reply", [], [true, false]),
        ] as [(JSONValue, JSONValue, [String], [Bool])]
    )
    func followed(output: JSONValue, answer: JSONValue, candidates: [String], mayStream: [Bool]) throws {
        let plan = try self.plan(output: output, answer: try ChainExpression(answer))
        #expect(plan.answerCandidates == candidates)
        #expect(plan.mayStream == mayStream)
    }

    /// A chain of the steps `a` and `b`.
    private func plan(
        output: JSONValue?,
        change: JSONValue = [:],
        answer: ChainExpression = .chainOutput
    ) throws -> ChainPlan {
        let steps = [Specs.prompt("a", "x", change), Specs.prompt("b", "y", change)]
        return try ChainPlan(try Specs.chain(steps: steps, output: output), name: "c", answer: answer)
    }

    @Test("a chain has at most a thousand steps")
    func cap() throws {
        let steps = (0...ChainPlan.maximumSteps).map { Specs.prompt("s\($0)", "x") }
        let spec = try Specs.chain(steps: steps)
        #expect(throws: MartletError.self) { try ChainPlan(spec, name: "c") }
        _ = try ChainPlan(try Specs.chain(steps: Array(steps.dropLast())), name: "c")
    }
}
