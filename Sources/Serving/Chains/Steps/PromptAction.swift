internal import Planning
internal import Schema

/// `prompt`: a template, filled in and completed by a model.
struct PromptAction: StepPerformer {
    let prompt: PromptStep
    let modelName: StepRecord.Named
    let templateName: StepRecord.Named

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        context.trace.note { record in
            record.model = self.modelName
            record.template = self.templateName
        }
        do {
            let answer = try await self.prompt.ask(
                input.object ?? [:],
                of: context.run.resources.models,
                spend: context.spend,
                note: context.note,
                emit: { piece in try context.emit?(piece) }
            )
            context.trace.note { $0.prompt = .array(answer.request.prompt.turns.map(\.recorded)) }
            return StepAnswer(output: answer.output, finishReason: answer.finishReason)
        } catch let problem as PromptProblem {
            let isCallers = context.step.blame(forInput: problem.variable) == .invalidInput
            throw CallError(isCallers ? problem.code : .failed, "step '\(context.path)': \(problem.message)")
        }
    }
}
