internal import Planning
internal import Schema

/// Tools by lines of text: a thought, an action with its input, and what was observed.
///
/// Source: Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models", 2022.
enum ReAct {
    static let observation = "Observation:"
    private static let thought = "Thought:"
    private static let action = "Action:"
    private static let input = "Action Input:"
    private static let answer = "Final Answer:"

    /// Puts what the model has to know of the tools behind its own instructions.
    static func instruct(_ conversation: [ChatMessage], tools: [ToolFunction]) -> [ChatMessage] {
        let list = tools.map { tool in
            "- \(tool.name): \(tool.description ?? "")\n  input: \(tool.parameters.canonicalJSON)"
        }
        let words = """
            You can use these tools:
            \(list.joined(separator: "\n"))

            To use one, write these lines and stop:
            \(Self.thought) what you need
            \(Self.action) the tool's name
            \(Self.input) its input, as one JSON object
            What comes of it is given to you after \(Self.observation)

            Once you know the answer, write:
            \(Self.thought) why you are done
            \(Self.answer) the answer
            """
        var conversation = conversation
        if conversation.first?.role == "system" {
            conversation[0].content += "\n\n" + words
        } else {
            conversation.insert(ChatMessage(role: "system", content: words), at: 0)
        }
        return conversation
    }

    /// What a text says: its first action, or its answer; all of it where it says neither.
    static func read(_ text: String, turn: Int) -> AgentTurn {
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
        while let line = lines.popFirst() {
            if let rest = line.rest(behind: Self.answer) {
                return .answer(([rest] + lines).joined(separator: "\n").trimmed)
            }
            guard let name = line.rest(behind: Self.action) else { continue }
            let call = ToolCall(id: "call-\(turn)", name: String(name).trimmed, arguments: Self.arguments(in: lines))
            return .calls([call])
        }
        return .answer(text.trimmed)
    }

    /// The text behind the input's marker, up to whatever the model made up behind it.
    private static func arguments(in lines: ArraySlice<Substring>) -> String {
        guard let start = lines.firstIndex(where: { $0.rest(behind: Self.input) != nil }),
            let first = lines[start].rest(behind: Self.input)
        else { return "{}" }
        let markers = [Self.observation, Self.action, Self.answer, Self.thought]
        let rest = lines[(start + 1)...].prefix { line in !markers.contains { line.rest(behind: $0) != nil } }
        return ([first] + rest).joined(separator: "\n").trimmed
    }
}

extension Substring {
    /// What stands behind a marker that the line begins with; nil for another line.
    fileprivate func rest(behind marker: String) -> Substring? {
        let line = self.drop { $0 == " " }
        return line.hasPrefix(marker) ? line.dropFirst(marker.count) : nil
    }
}

extension String {
    fileprivate var trimmed: String {
        let start = self.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
