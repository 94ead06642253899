internal import Planning
internal import Schema
internal import Serving

extension TextCall {
    /// Decodes the body of `POST /v1/chat/completions`.
    init(chat body: [UInt8]) throws {
        let reader = try ParameterReader(body: body)
        try ParameterRules.chat.check(reader)
        var request = TextRequest(prompt: .chat(try Self.messages(reader)))
        try request.readSampling(reader)
        request.maxTokens = try Self.maxTokens(reader, older: request.maxTokens)
        if reader["max_completion_tokens"] != nil { request.maxTokensName = "max_completion_tokens" }
        request.topLogProbabilities = try Self.topLogProbabilities(reader)
        request.tools = try reader.tools(isNested: true)
        request.format = try reader.outputFormat("response_format", isNested: true)
        try self.init(reader, prompts: [request])
    }

    private static func maxTokens(_ reader: ParameterReader, older: Int?) throws -> Int? {
        let newer = try reader.integer("max_completion_tokens", in: 1...Int64(Int32.max)).map { Int($0) }
        if let newer, let older, newer != older {
            throw OpenAIError.invalid(
                "'max_tokens' is the older name of 'max_completion_tokens'; give one of them.",
                parameter: "max_tokens"
            )
        }
        return newer ?? older
    }

    private static func topLogProbabilities(_ reader: ParameterReader) throws -> Int? {
        let wanted = try reader.boolean("logprobs") ?? false
        let count = try reader.integer("top_logprobs", in: 0...20)
        guard wanted else {
            guard count == nil else {
                throw OpenAIError.invalid("'top_logprobs' needs 'logprobs': true.", parameter: "top_logprobs")
            }
            return nil
        }
        return Int(count ?? 0)
    }

    private static func messages(_ reader: ParameterReader) throws -> [ChatMessage] {
        let value = try reader.required("messages", reader["messages"])
        guard case .array(let elements) = value else { throw reader.wrongType("messages", "an array of messages") }
        guard !elements.isEmpty else {
            throw OpenAIError.invalid("'messages' must hold at least one message.", parameter: "messages")
        }
        let messages = try elements.enumerated().map { index, element in
            guard case .object(let members) = element else { throw reader.wrongType("messages[\(index)]", "an object") }
            return try Self.message(ParameterReader(members, prefix: "messages[\(index)]."))
        }
        try self.requireCalls(of: messages) { "messages[\($0)].tool_call_id" }
        return messages
    }

    /// Throws unless every result is that of a call before it.
    ///
    /// - Parameter parameter: names the place of a message, by its index.
    static func requireCalls(of messages: [ChatMessage], at parameter: (Int) -> String) throws {
        var made: Set<String> = []
        for (index, message) in messages.enumerated() {
            made.formUnion(message.toolCalls.map(\.id))
            guard let id = message.toolCallID, !made.contains(id) else { continue }
            throw OpenAIError.invalid(
                "'\(id.shortened)' is the id of no call in the messages before it.",
                parameter: parameter(index)
            )
        }
    }

    private static func message(_ reader: ParameterReader) throws -> ChatMessage {
        let role = try reader.required("role", reader.string("role"))
        switch role {
        case "system", "user", "developer":
            try ParameterRules.message.check(reader)
            return ChatMessage(role: role == "developer" ? "system" : role, content: try Self.content(reader))
        case "assistant":
            try ParameterRules.assistantMessage.check(reader)
            let calls = try Self.toolCalls(reader)
            let content = calls.isEmpty || reader["content"] != nil ? try Self.content(reader) : ""
            return ChatMessage(role: role, content: content, toolCalls: calls)
        case "tool":
            try ParameterRules.toolMessage.check(reader)
            let id = try reader.required("tool_call_id", reader.string("tool_call_id"))
            return ChatMessage(role: role, content: try Self.content(reader), toolCallID: id)
        case "function":
            throw OpenAIError.unsupported(
                "Messages of role 'function' are out of date; give results as role 'tool'.",
                parameter: reader.path("role")
            )
        default:
            let roles = ["system", "developer", "user", "assistant", "tool"]
            let hint = NearestWord.hint(for: role, among: roles, otherwise: ".")
            throw OpenAIError.invalid("'\(role.shortened)' is not a role\(hint)", parameter: reader.path("role"))
        }
    }

    /// The calls that an assistant's message made.
    private static func toolCalls(_ reader: ParameterReader) throws -> [ToolCall] {
        guard let value = reader["tool_calls"] else { return [] }
        guard case .array(let elements) = value else { throw reader.wrongType("tool_calls", "an array of calls") }
        return try elements.enumerated().map { index, element in
            let place = "tool_calls[\(index)]"
            guard case .object(let members) = element else { throw reader.wrongType(place, "an object") }
            let call = ParameterReader(members, prefix: reader.path("\(place)."))
            // The index is what streams number calls with; programs send it back.
            try ParameterRules(honoured: ["id", "type", "function", "index"]).check(call)
            let function = try call.required("function", call.object("function"))
            try ParameterRules(honoured: ["name", "arguments"]).check(function)
            let arguments = try function.callArguments()
            return ToolCall(
                id: try call.required("id", call.string("id")),
                name: try function.required("name", function.string("name")),
                arguments: arguments
            )
        }
    }

    /// The text of a message; its parts are put together as they stand.
    private static func content(_ reader: ParameterReader) throws -> String {
        let value = try reader.required("content", reader["content"])
        if case .string(let text) = value { return text }
        guard case .array(let parts) = value else { throw reader.wrongType("content", "a string or an array of parts") }
        return try parts.enumerated().map { index, part in
            guard case .object(let members) = part else { throw reader.wrongType("content[\(index)]", "an object") }
            let part = ParameterReader(members, prefix: reader.path("content[\(index)]."))
            let type = try part.required("type", part.string("type"))
            guard type == "text" else {
                throw OpenAIError.unsupported(
                    "Parts of type '\(type.shortened)' are not supported; only text is.",
                    parameter: part.path("type")
                )
            }
            try ParameterRules(honoured: ["type", "text"]).check(part)
            return try part.required("text", part.string("text"))
        }.joined()
    }
}
