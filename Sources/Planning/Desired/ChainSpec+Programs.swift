package import Schema

extension ChainSpec {
    /// Every program that a step or tool runs, at any depth, with its field: `spec.steps[2].program`.
    package var programs: [(field: FieldPath, program: Program)] {
        ChainSpec.programs(of: self.steps, at: FieldPath("spec", "steps"))
    }

    private static func programs(of steps: [Step], at path: FieldPath) -> [(field: FieldPath, program: Program)] {
        steps.enumerated().flatMap { index, step -> [(field: FieldPath, program: Program)] in
            let place = path.item(index)
            switch step.action {
            case .program(let program):
                return [(place.field("program"), program)]
            case .parallel(let steps):
                return self.programs(of: steps, at: place.field("parallel").field("steps"))
            case .ensemble(let ensemble):
                return self.programs(of: ensemble.steps, at: place.field("ensemble").field("steps"))
            case .agent(let agent):
                let tools = place.field("agent").field("tools")
                return agent.tools.enumerated().compactMap { index, tool in
                    guard case .program(let program) = tool.action else { return nil }
                    return (tools.item(index).field("program"), program)
                }
            case .prompt, .model, .retrieve, .features, .http, .chain, .set:
                return []
            }
        }
    }
}
