internal import Planning
internal import Schema
internal import Serving

/// Reads `instructions` and `input` of a response's request as a conversation.
enum ResponseInput {
    /// Messages for the model. Throws what is wrong, by its place.
    static func messages(_ reader: ParameterReader) throws -> [ChatMessage] {
        let instructions = try reader.string("instructions").map { [ChatMessage(role: "system", content: $0)] } ?? []
        let value = try reader.required("input", reader["input"])
        switch value {
        case .string(let text): return instructions + [ChatMessage(role: "user", content: text)]
        case .array(let elements):
            guard !elements.isEmpty else {
                throw OpenAIError.invalid("'input' must hold at least one item.", parameter: "input")
            }
            return instructions + (try self.messages(elements, reader))
        case .null, .bool, .integer, .number, .object: throw reader.wrongType("input", "a string or an array of items")
        }
    }

    private static func messages(_ elements: [JSONValue], _ reader: ParameterReader) throws -> [ChatMessage] {
        var messages: [ChatMessage] = []
        var made: Set<String> = []
        for (index, element) in elements.enumerated() {
            guard case .object(let members) = element else { throw reader.wrongType("input[\(index)]", "an object") }
            let item = ParameterReader(members, prefix: "input[\(index)].")
            let type = try item.string("type") ?? "message"
            switch type {
            case "message": messages.append(try self.message(item))
            case "function_call":
                let call = try self.call(item)
                made.insert(call.id)
                // Calls of one turn follow each other, and the text before them.
                if let last = messages.indices.last, messages[last].role == "assistant" {
                    messages[last].toolCalls.append(call)
                } else {
                    messages.append(ChatMessage(role: "assistant", content: "", toolCalls: [call]))
                }
            case "function_call_output":
                messages.append(try self.result(item, of: made))
            default:
                throw OpenAIError.unsupported(
                    "Items of type '\(type.shortened)' are not supported; give messages and calls of functions.",
                    parameter: item.path("type")
                )
            }
        }
        return messages
    }

    private static func message(_ item: ParameterReader) throws -> ChatMessage {
        try ParameterRules(honoured: ["type", "role", "content", "id", "status"]).check(item)
        let role = try item.required("role", item.string("role"))
        switch role {
        case "user", "assistant", "system": return ChatMessage(role: role, content: try self.content("content", item))
        case "developer": return ChatMessage(role: "system", content: try self.content("content", item))
        default:
            let hint = NearestWord.hint(
                for: role,
                among: ["user", "assistant", "system", "developer"],
                otherwise: "."
            )
            throw OpenAIError.invalid("'\(role.shortened)' is not a role\(hint)", parameter: item.path("role"))
        }
    }

    private static func call(_ item: ParameterReader) throws -> ToolCall {
        try ParameterRules(honoured: ["type", "call_id", "name", "arguments", "id", "status"]).check(item)
        let arguments = try item.callArguments()
        return ToolCall(
            id: try item.required("call_id", item.string("call_id")),
            name: try item.required("name", item.string("name")),
            arguments: arguments
        )
    }

    private static func result(_ item: ParameterReader, of made: Set<String>) throws -> ChatMessage {
        try ParameterRules(honoured: ["type", "call_id", "output", "id", "status"]).check(item)
        let id = try item.required("call_id", item.string("call_id"))
        guard made.contains(id) else {
            throw OpenAIError.invalid(
                "'\(id.shortened)' is the id of no call in the items before it.",
                parameter: item.path("call_id")
            )
        }
        return ChatMessage(role: "tool", content: try self.content("output", item), toolCallID: id)
    }

    /// A text, or parts of text put together as they stand.
    private static func content(_ name: String, _ item: ParameterReader) throws -> String {
        let value = try item.required(name, item[name])
        if case .string(let text) = value { return text }
        guard case .array(let parts) = value else { throw item.wrongType(name, "a string or an array of parts") }
        return try parts.enumerated().map { index, part in
            guard case .object(let members) = part else { throw item.wrongType("\(name)[\(index)]", "an object") }
            let part = ParameterReader(members, prefix: item.path("\(name)[\(index)]."))
            let type = try part.required("type", part.string("type"))
            guard ["input_text", "output_text"].contains(type) else {
                throw OpenAIError.unsupported(
                    "Parts of type '\(type.shortened)' are not supported; only text is.",
                    parameter: part.path("type")
                )
            }
            // What answers carry besides their text comes back with them.
            try ParameterRules(honoured: ["type", "text", "annotations", "logprobs"]).check(part)
            return try part.required("text", part.string("text"))
        }.joined()
    }
}
