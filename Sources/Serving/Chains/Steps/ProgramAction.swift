internal import Planning
internal import Schema

/// `program`: a program of the team's own.
struct ProgramAction: StepPerformer {
    let program: RevisionGraph.Program
    let effects: ChainSpec.Effects

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        try await context.perform(self.effects) {
            guard let programs = context.run.resources.programs else {
                throw CallError(.unavailable, "step '\(context.path)': this server runs no programs")
            }
            return try await programs.call(self.program, input: input, timeout: self.program.timeout.duration)
        }
    }
}
