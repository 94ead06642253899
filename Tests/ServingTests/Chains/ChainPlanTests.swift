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
            ([["name": "a", "retrieve": ["knowledgeBase": "k"]]], nil, "StepUnavailable"),
        ] as [([JSONValue], JSONValue?, String)]
    )
    func refused(steps: [JSONValue], output: JSONValue?, code: String) throws {
        let spec = try Specs.chain(steps: steps, output: output)
        let error = #expect(throws: MartletError.self) { try ChainPlan(spec, name: "Chain/default/c") }
        #expect(error?.code == code)
    }

    @Test(
        "words stream only from steps whose whole output may be the answer, and that nothing replaces",
        arguments: [
            (nil, [:], ["b"], [false, true]),
            ("$.steps.a.output", [:], ["a"], [true, false]),
            ("$.steps.a.output.text", [:], [], [false, false]),
            (["firstOf": ["$.steps.a.output", "$.steps.b.output"]], [:], ["a", "b"], [true, true]),
            (["firstOf": ["$.steps.a.output.x", "$.steps.b.output"]], [:], [], [false, false]),
            (["firstOf": ["$.steps.a.output", "none", "$.steps.b.output"]], [:], ["a"], [true, false]),
            (["answer": "$.steps.a.output"], [:], [], [false, false]),
            ("$.steps.a.output", ["onError": "skip"], ["a"], [false, false]),
        ] as [(JSONValue?, JSONValue, [String], [Bool])]
    )
    func streaming(output: JSONValue?, change: JSONValue, candidates: [String], mayStream: [Bool]) throws {
        let spec = try Specs.chain(
            steps: [Specs.prompt("a", "x", change), Specs.prompt("b", "y", change)],
            output: output
        )
        let plan = try ChainPlan(spec, name: "c")
        #expect(plan.answerCandidates == candidates)
        #expect(plan.mayStream == mayStream)
    }

    @Test("a chain has at most a thousand steps")
    func cap() throws {
        let steps = (0...ChainPlan.maximumSteps).map { Specs.prompt("s\($0)", "x") }
        let spec = try Specs.chain(steps: steps)
        #expect(throws: MartletError.self) { try ChainPlan(spec, name: "c") }
        _ = try ChainPlan(try Specs.chain(steps: Array(steps.dropLast())), name: "c")
    }
}
