internal import Planning
internal import Schema

/// `agent`: a model that chooses among tools until it is done.
///
/// It can call what is declared and nothing else: any other name, and arguments that do not fit, come back to it as an
/// error. What tools give is told to it as data of its conversation.
struct AgentAction: StepPerformer {
    /// The prompt that an agent begins with.
    struct Template: Sendable {
        var renderer: PromptRenderer
        var name: StepRecord.Named
    }

    let model: ResourceIdentity
    let modelName: StepRecord.Named
    /// Nil: the step's own `message` or `messages`.
    let template: Template?
    let tools: [AgentTool]
    let maxTurns: Int
    let callProtocol: ChainSpec.Agent.CallProtocol

    /// The most bytes of what a tool gives that the model is told.
    private static let resultLimit = 1 << 16

    /// An agent's step under way.
    private struct Session {
        let base: CompletionRequest
        let model: any CompletionModel
        let context: StepContext
        var spoken: AgentProtocol
        var conversation: [ChatMessage]
        /// The end of the conversation that the model has not read yet.
        var untold: [ChatMessage]
        var turn = 1
    }

    func perform(_ input: JSONValue, in context: StepContext) async throws -> StepAnswer {
        context.trace.note { record in
            record.model = self.modelName
            record.template = self.template?.name
        }
        let model = try context.model(self.model)
        let base = try await self.opening(input, for: model, of: context)
        var session = Session(
            base: base,
            model: model,
            context: context,
            spoken: self.callProtocol == .react ? .react : .native,
            conversation: base.prompt.turns,
            untold: base.prompt.turns
        )
        while session.turn <= self.maxTurns {
            if let answer = try await self.takeTurn(&session) { return answer }
            session.conversation += session.untold
            session.turn += 1
        }
        throw CallError(
            .failed,
            "step '\(context.path)': the agent was not done after \(self.maxTurns) turns, which its maxTurns allows"
        )
    }

    /// Has the model say its next turn, and does what it asks for. Returns the answer once it has one.
    private func takeTurn(_ session: inout Session) async throws -> StepAnswer? {
        let writing: Writing
        do {
            writing = try await self.ask(session)
        } catch let error as MartletError where error.refusesTools && self.callProtocol == .auto && session.turn == 1 {
            session.spoken = .react
            writing = try await self.ask(session)
        }
        switch session.spoken.read(writing, turn: session.turn) {
        case .answer(let text):
            let isLast = session.turn == self.maxTurns
            switch try self.judge(text, isLast: isLast, of: session.context) {
            case .success(let output):
                return StepAnswer(
                    output: try await self.guarded(output, of: session.context),
                    finishReason: writing.finishReason
                )
            case .failure(let doubt):
                session.untold = [
                    ChatMessage(role: "assistant", content: writing.text),
                    ChatMessage(role: "user", content: doubt.message),
                ]
            }
        case .calls(let calls):
            var results: [(call: ToolCall, text: String)] = []
            for call in calls { results.append((call, try await self.use(call, in: session.context))) }
            session.untold = session.spoken.messages(writing, results)
        }
        return nil
    }

    /// The conversation that it begins with, and how it generates.
    private func opening(
        _ input: JSONValue,
        for model: any CompletionModel,
        of context: StepContext
    ) async throws -> CompletionRequest {
        if let template = self.template {
            do {
                var request = try await template.renderer.guarded(
                    input.object ?? [:],
                    for: model,
                    among: context.run.resources.models,
                    spend: context.spend,
                    note: context.note
                )
                // The contract is for its last answer, not for the turns before.
                request.format = .text
                return request
            } catch let problem as PromptProblem {
                let isCallers = context.step.blame(forInput: problem.variable) == .invalidInput
                throw CallError(isCallers ? problem.code : .failed, "step '\(context.path)': \(problem.message)")
            }
        }
        if let turns = ChatMessage.conversation(input["messages"]) { return CompletionRequest(prompt: .chat(turns)) }
        guard let message = input["message"]?.string else {
            let words = "step '\(context.path)': without a template, an agent takes 'message' or 'messages'"
            throw CallError(context.step.blame(), words)
        }
        return CompletionRequest(prompt: .chat([ChatMessage(role: "user", content: message)]))
    }

    /// The last answer, as the template's guards let it through.
    private func guarded(_ answer: JSONValue, of context: StepContext) async throws -> JSONValue {
        guard let renderer = self.template?.renderer else { return answer }
        return try await renderer.guarded(
            answer: answer,
            tokens: nil,
            among: context.run.resources.models,
            spend: context.spend,
            note: context.note
        )
    }

    private func ask(_ session: Session) async throws -> Writing {
        let context = session.context
        try context.run.countStep()
        let trace = context.trace.begin("turn-\(session.turn)", type: "model")
        trace.note { record in
            record.attempts = 1
            record.model = self.modelName
            record.input = ["messages": .array(session.untold.map(\.recorded))]
        }
        do {
            let tools = self.tools.map(\.function)
            let request = session.spoken.request(session.base, session.conversation, tools: tools)
            let writing = try await Writing.of(request, by: session.model) { usage in
                trace.spend(usage)
                context.spend(usage)
            }
            trace.finish([ChatMessage(role: "assistant", content: writing.text, toolCalls: writing.calls).recorded])
            return writing
        } catch {
            trace.fail(CallError(mapping: error))
            throw error
        }
    }

    /// Does what a call asks for, and gives what the model is told of it.
    private func use(_ call: ToolCall, in context: StepContext) async throws -> String {
        try context.run.countStep()
        let tool = self.tools.first { $0.function.name == call.name }
        let trace = context.trace.begin(call.name.shortened, type: tool?.type ?? "unknown")
        trace.note { record in
            record.attempts = 1
            record.input = (try? JSONValue(parsing: call.arguments)) ?? .string(call.arguments)
        }
        let within = context.within(call.name, trace: trace)
        do {
            let output = try await self.output(of: call, by: tool, in: within)
            trace.finish(output)
            let text = output.plainText
            if text.utf8.count <= Self.resultLimit { return text }
            return Self.told(
                "what came of it has \(text.utf8.count) bytes, more than the \(Self.resultLimit) you can read"
            )
        } catch let misuse as AgentTool.Misuse {
            trace.fail(CallError(.failed, misuse.message))
            return Self.told(misuse.message)
        } catch let spent as BudgetSpent {
            trace.fail(spent.callError)
            throw spent
        } catch {
            try Task.checkCancellation()
            let failure = CallError(mapping: error)
            trace.fail(failure)
            return Self.told(failure.message)
        }
    }

    private func output(of call: ToolCall, by tool: AgentTool?, in context: StepContext) async throws -> JSONValue {
        guard let tool else {
            let names = self.tools.map(\.function.name).joined(separator: ", ")
            throw AgentTool.Misuse("there is no tool '\(call.name.shortened)'; there are \(names)")
        }
        guard let arguments = try? JSONValue(parsing: call.arguments) else {
            throw AgentTool.Misuse("the arguments are not JSON")
        }
        return try await tool.action.perform(try tool.input(for: arguments), in: context).output
    }

    private static func told(_ error: String) -> String {
        JSONValue.object(["error": .string(error)]).canonicalJSON
    }

    /// Why an answer is not what the template's output must be, in words for the model.
    private struct Doubt: Error {
        var message: String
    }

    private func judge(_ text: String, isLast: Bool, of context: StepContext) throws -> Result<JSONValue, Doubt> {
        guard let contract = self.template?.renderer.output else { return .success(.string(text)) }
        switch contract.judge(text) {
        case .valid(let value): return .success(value)
        case .invalid(let why):
            switch contract.onInvalid {
            case .pass: return .success((try? JSONValue(parsing: text)) ?? .string(text))
            case .retry where !isLast, .repair where !isLast:
                return .failure(Doubt(message: "\(why). Answer again, with JSON that fits."))
            case .retry, .repair, .fail: throw CallError(.failed, "step '\(context.path)': \(why)")
            }
        }
    }
}

extension MartletError {
    /// Whether a model will not be told of tools at all.
    fileprivate var refusesTools: Bool { self.code == "UnsupportedParameter" && self.message.hasPrefix("'tools'") }
}

extension CompletionRequest.Prompt {
    /// The prompt as turns; a plain text is one of the user's.
    var turns: [ChatMessage] {
        switch self {
        case .chat(let messages): messages
        case .text(let text): [ChatMessage(role: "user", content: text)]
        }
    }
}
