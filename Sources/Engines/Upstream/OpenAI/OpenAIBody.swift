internal import Planning
internal import Schema

/// Members of a JSON object, each with a comma in front.
struct OpenAIBody: Sendable {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ name: String, _ text: String) {
        self.addName(name)
        JSONValue.append(quoted: text, to: &self.bytes)
    }

    mutating func add(_ name: String, _ value: JSONValue) {
        self.addName(name)
        self.bytes += value.canonicalJSON.utf8
    }

    mutating func add(_ name: String, _ number: Int?) {
        guard let number else { return }
        self.addName(name)
        self.bytes += String(number).utf8
    }

    mutating func add(messages: [ChatMessage]) {
        self.addName("messages")
        var opening = "[{\"role\":"
        for message in messages {
            self.bytes += opening.utf8
            JSONValue.append(quoted: message.role, to: &self.bytes)
            self.bytes += ",\"content\":".utf8
            JSONValue.append(quoted: message.content, to: &self.bytes)
            if let id = message.toolCallID { self.add("tool_call_id", id) }
            if !message.toolCalls.isEmpty { self.add("tool_calls", .array(message.toolCalls.map(\.json))) }
            opening = "},{\"role\":"
        }
        self.bytes += (messages.isEmpty ? "[]" : "}]").utf8
    }

    /// What was chosen, and what differs from the value that every server takes by itself.
    mutating func add(_ sampling: SamplingParameters) {
        if let temperature = sampling.temperature { self.add("temperature", .number(temperature)) }
        if let topP = sampling.topP { self.add("top_p", .number(topP)) }
        if sampling.topK != 0 { self.add("top_k", sampling.topK) }
        if sampling.minP != 0 { self.add("min_p", .number(sampling.minP)) }
        if sampling.frequencyPenalty != 0 { self.add("frequency_penalty", .number(sampling.frequencyPenalty)) }
        if sampling.presencePenalty != 0 { self.add("presence_penalty", .number(sampling.presencePenalty)) }
        if !sampling.logitBias.isEmpty {
            let biases = sampling.logitBias.map { (String($0.key), JSONValue.number($0.value)) }
            self.add("logit_bias", .object(Dictionary(uniqueKeysWithValues: biases)))
        }
        self.add("seed", sampling.seed.map { Int($0) })
    }

    mutating func add(_ tools: ToolUse) {
        self.add("tools", .array(tools.functions.map { ["type": "function", "function": $0.json] }))
        switch tools.choice {
        case .none: self.add("tool_choice", "none")
        case .auto: self.add("tool_choice", "auto")
        case .required: self.add("tool_choice", "required")
        case .function(let name):
            self.add("tool_choice", ["type": "function", "function": ["name": .string(name)]])
        }
        if !tools.allowsSeveral { self.add("parallel_tool_calls", false) }
    }

    mutating func add(_ format: OutputFormat) {
        switch format {
        case .text: break
        case .jsonObject: self.add("response_format", ["type": "json_object"])
        case .jsonSchema(let named):
            var schema: [String: JSONValue] = ["name": .string(named.name), "schema": named.schema]
            schema["description"] = named.description.map { .string($0) }
            if named.isStrict { schema["strict"] = true }
            self.add("response_format", ["type": "json_schema", "json_schema": .object(schema)])
        }
    }

    private mutating func addName(_ name: String) {
        self.bytes.append(UInt8(ascii: ","))
        JSONValue.append(quoted: name, to: &self.bytes)
        self.bytes.append(UInt8(ascii: ":"))
    }
}

extension ToolFunction {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = ["name": .string(self.name), "parameters": self.parameters]
        members["description"] = self.description.map { .string($0) }
        if self.isStrict { members["strict"] = true }
        return .object(members)
    }
}

extension ToolCall {
    fileprivate var json: JSONValue {
        [
            "id": .string(self.id), "type": "function",
            "function": ["name": .string(self.name), "arguments": .string(self.arguments)],
        ]
    }
}
