internal import Planning
internal import Schema

/// How one family of models is told of functions, calls them, and is given their results.
enum ToolFormat: Sendable {
    /// `<tool_call>` around `{"name", "arguments"}`, any number of times, after any text: Hermes, Qwen.
    case tagged
    /// `{"name", "parameters"}` as the whole answer, one call at a time: Llama 3.
    case bare
    /// A list of `{"name", "arguments", "id"}` behind a special token: Mistral.
    case list

    /// What begins a call, in the text that can be seen of an answer.
    var opener: String {
        switch self {
        case .tagged: "<tool_call>"
        case .bare: "{"
        case .list: "["
        }
    }

    /// The member of a call that holds its arguments.
    var argumentsKey: String {
        switch self {
        case .tagged, .list: "arguments"
        case .bare: "parameters"
        }
    }

    /// Whether one answer can make several calls.
    var allowsSeveral: Bool {
        switch self {
        case .tagged, .list: true
        case .bare: false
        }
    }

    /// Whether text may stand before a call.
    var allowsTextBefore: Bool {
        switch self {
        case .tagged: true
        case .bare, .list: false
        }
    }
}

extension ToolFormat {
    /// What the first characters of an answer say of it.
    enum Beginning: Sendable {
        /// Nothing yet.
        case open
        /// It calls functions; the first call is still to come.
        case calls
        /// It seems to call a function, and this is the first brace of the call.
        case call
        case text
    }

    /// What an answer is that begins so, and may call functions only at its beginning. It is asked after each character.
    func beginning(_ seen: String) -> Beginning {
        var rest = seen.drop { $0.isWhitespace }
        switch self {
        case .tagged: return rest == self.opener ? .calls : self.opener.hasPrefix(rest) ? .open : .text
        case .bare: break
        case .list:
            // Engines that show special tokens write this one before the list.
            let token = "[TOOL_CALLS]"
            if token.hasPrefix(rest) { return .open }
            if rest.hasPrefix(token) { rest = rest.dropFirst(token.count).drop { $0.isWhitespace } }
            if rest.isEmpty { return .open }
            guard rest.first == "[" else { return .text }
            rest = rest.dropFirst().drop { $0.isWhitespace }
        }
        return rest.isEmpty ? .open : rest == "{" ? .call : .text
    }
}

extension ChatTemplate {
    /// How models of this template call functions; nil where that is not known.
    var toolFormat: ToolFormat? {
        switch self {
        case .chatML, .qwen: .tagged
        case .llama3: .bare
        case .mistralV3, .mistralV7: .list
        case .alpaca, .commandR, .deepSeek2, .deepSeek3, .gemma, .granite, .llama2, .mistralV1, .phi3, .phi4, .vicuna,
            .zephyr:
            nil
        }
    }
}

extension ToolFormat {
    /// A conversation with functions, calls and results, in the turns that a template writes.
    func turns(of messages: [ChatMessage], offering tools: [ToolFunction]) -> [ChatMessage] {
        var turns = messages.map(self.turn)
        guard !tools.isEmpty else { return turns }
        switch self {
        case .list:
            let list = ChatMessage(role: ChatTemplate.toolListRole, content: "[\(self.lines(tools, by: ", "))]")
            turns.insert(list, at: turns.lastIndex { $0.role == "user" } ?? 0)
        case .tagged, .bare:
            if turns.first?.role == "system" {
                turns[0].content += "\n\n" + self.instructions(tools)
            } else {
                turns.insert(ChatMessage(role: "system", content: self.instructions(tools)), at: 0)
            }
        }
        return turns
    }

    private func turn(_ message: ChatMessage) -> ChatMessage {
        var turn = ChatMessage(role: message.role, content: message.content)
        if message.role == "tool" { turn.content = self.result(message) }
        guard !message.toolCalls.isEmpty else { return turn }
        let calls = message.toolCalls.map(self.spelling)
        switch self {
        case .tagged:
            let tagged = calls.map { "<tool_call>\n\($0)\n</tool_call>" }
            turn.content = ((message.content.isEmpty ? [] : [message.content]) + tagged).joined(separator: "\n")
        case .bare: turn.content = calls.joined(separator: "\n")
        case .list:
            turn.role = ChatTemplate.toolCallsRole
            turn.content = "[\(calls.joined(separator: ", "))]"
        }
        return turn
    }

    private func result(_ message: ChatMessage) -> String {
        switch self {
        case .tagged: "<tool_response>\n\(message.content)\n</tool_response>"
        case .bare: message.content
        case .list:
            "{\"content\": \(JSONValue.string(message.content).canonicalJSON), "
                + "\"call_id\": \(JSONValue.string(message.toolCallID ?? "").canonicalJSON)}"
        }
    }

    private func spelling(_ call: ToolCall) -> String {
        let arguments = call.arguments.isEmpty ? "{}" : call.arguments
        let name = JSONValue.string(call.name).canonicalJSON
        let id = JSONValue.string(call.id).canonicalJSON
        switch self {
        case .tagged: return "{\"name\": \(name), \"arguments\": \(arguments)}"
        case .bare: return "{\"name\": \(name), \"parameters\": \(arguments)}"
        case .list: return "{\"name\": \(name), \"arguments\": \(arguments), \"id\": \(id)}"
        }
    }

    private func lines(_ tools: [ToolFunction], by separator: String) -> String {
        tools.map { tool in
            var function: [String: JSONValue] = ["name": .string(tool.name), "parameters": tool.parameters]
            function["description"] = tool.description.map { .string($0) }
            return JSONValue.object(["type": "function", "function": .object(function)]).canonicalJSON
        }.joined(separator: separator)
    }

    /// What the system says of the functions.
    private func instructions(_ tools: [ToolFunction]) -> String {
        let list = self.lines(tools, by: "\n")
        switch self {
        case .tagged:
            return """
                # Tools

                These functions can be called; their JSON signatures stand within <tools></tools>:
                <tools>
                \(list)
                </tools>

                To call one, write its name and arguments as JSON within <tool_call></tool_call>:
                <tool_call>
                {"name": <function name>, "arguments": <arguments object>}
                </tool_call>
                """
        case .bare, .list:
            return """
                These functions can be called:

                \(list)

                To call one, answer with nothing but JSON of this form:
                {"name": <function name>, "parameters": <arguments object>}
                """
        }
    }
}
