internal import Planning
internal import Schema

/// What a model's turn comes to.
enum AgentTurn: Sendable, Hashable {
    /// It is done, and this is its answer.
    case answer(String)
    case calls([ToolCall])
}

/// How an agent's model is told of tools, says which it wants, and is told what came of it.
enum AgentProtocol: Sendable {
    /// The model's own way, which its chat template or its server knows.
    case native
    /// Lines of text: ``ReAct``.
    case react

    /// A turn's request: the conversation, and the tools in the protocol's way.
    func request(_ base: CompletionRequest, _ conversation: [ChatMessage], tools: [ToolFunction]) -> CompletionRequest {
        var request = base
        request.prompt = .chat(conversation)
        switch self {
        case .native: request.tools = ToolUse(tools)
        case .react:
            request.prompt = .chat(ReAct.instruct(conversation, tools: tools))
            request.stop.append(ReAct.observation)
        }
        return request
    }

    /// What the model wants.
    ///
    /// - Parameter turn: counts the turns, to name a call that has no name of its own.
    func read(_ writing: Writing, turn: Int) -> AgentTurn {
        switch self {
        case .native: writing.calls.isEmpty ? .answer(writing.text) : .calls(writing.calls)
        case .react: ReAct.read(writing.text, turn: turn)
        }
    }

    /// The conversation's next messages: what the model said, and what came of each of its calls.
    func messages(_ writing: Writing, _ results: [(call: ToolCall, text: String)]) -> [ChatMessage] {
        switch self {
        case .native:
            return [ChatMessage(role: "assistant", content: writing.text, toolCalls: writing.calls)]
                + results.map { ChatMessage(role: "tool", content: $0.text, toolCallID: $0.call.id) }
        case .react:
            let observed = results.map { "\(ReAct.observation) \($0.text)" }.joined(separator: "\n")
            return [
                ChatMessage(role: "assistant", content: writing.text), ChatMessage(role: "user", content: observed),
            ]
        }
    }
}
