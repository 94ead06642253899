package import Planning
internal import Schema

extension ChatTemplate {
    /// Writes a conversation the way the model was taught to see it, up to where the model is to go on.
    ///
    /// Only the template's own text may spell special tokens; what people wrote never does. Throws
    /// `InvalidConversation`.
    ///
    /// - Parameter start: the template's text with which the answer begins.
    package func render(_ messages: [ChatMessage], start: String = "") throws -> [TextSegment] {
        var writer = ConversationWriter(template: self)
        return try writer.write(messages, start: start)
    }
}

/// Puts a template's turns around messages.
private struct ConversationWriter {
    private let template: ChatTemplate
    private let format: TurnFormat
    private var segments: [TextSegment] = []

    init(template: ChatTemplate) {
        self.template = template
        self.format = template.format
    }

    mutating func write(_ messages: [ChatMessage], start: String) throws -> [TextSegment] {
        guard !messages.isEmpty else { throw self.invalid("a conversation needs at least one message") }
        let host = try self.userTurnForSystem(in: messages)
        for (index, message) in messages.enumerated() {
            switch message.role {
            case "system":
                if case .ownTurn(let turn) = self.format.system { self.write(message, as: turn) }
            case "user":
                let system = index == host ? messages.filter { $0.role == "system" } : []
                self.writeUserTurn(message, system: system)
            case "assistant":
                self.write(message, as: self.format.assistant)
            case ChatTemplate.toolListRole where self.format.toolList != nil:
                if let list = self.format.toolList { self.write(message, as: list) }
            case ChatTemplate.toolCallsRole where self.format.toolCalls != nil:
                if let calls = self.format.toolCalls { self.write(message, as: calls) }
            case "tool":
                guard let tool = self.format.tool else { throw self.invalid("the template has no role 'tool'") }
                self.write(message, as: tool)
            default:
                throw self.invalid("unknown role '\(message.role)'; known are system, user, assistant and tool")
            }
        }
        self.append(self.format.cue + start, isTemplate: true)
        return self.segments
    }

    /// The index of the user's message that takes in what the system says; nil where that has a turn of its own.
    private func userTurnForSystem(in messages: [ChatMessage]) throws -> Int? {
        let host: Int?
        switch self.format.system {
        case .ownTurn: return nil
        case .firstUserTurn: host = messages.firstIndex { $0.role == "user" }
        case .lastUserTurn: host = messages.lastIndex { $0.role == "user" }
        }
        if host == nil, messages.contains(where: { $0.role == "system" }) {
            throw self.invalid("the template puts the system's message into a user's turn, and there is none")
        }
        return host
    }

    private mutating func write(_ message: ChatMessage, as turn: TurnFormat.Turn) {
        self.append(turn.before, isTemplate: true)
        self.append(self.content(of: message), isTemplate: false)
        self.append(turn.after, isTemplate: true)
    }

    private mutating func writeUserTurn(_ message: ChatMessage, system: [ChatMessage]) {
        self.append(self.format.user.before, isTemplate: true)
        switch self.format.system {
        case .ownTurn: break
        case .firstUserTurn(let turn), .lastUserTurn(let turn): for part in system { self.write(part, as: turn) }
        }
        self.append(self.content(of: message), isTemplate: false)
        self.append(self.format.user.after, isTemplate: true)
    }

    private func content(of message: ChatMessage) -> String {
        guard self.format.trims else { return message.content }
        let start = message.content.drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }

    private mutating func append(_ text: String, isTemplate: Bool) {
        if text.isEmpty { return }
        if let last = self.segments.indices.last, self.segments[last].parseSpecial == isTemplate {
            self.segments[last].text += text
        } else {
            self.segments.append(TextSegment(text, parseSpecial: isTemplate))
        }
    }

    private func invalid(_ reason: String) -> MartletError {
        MartletError("InvalidConversation", "chat template '\(self.template.rawValue)': \(reason)")
    }
}
