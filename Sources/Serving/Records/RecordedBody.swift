internal import Planning
internal import Schema

/// What a request asks, as it is written down.
protocol RecordedBody: Sendable {
    var operation: RequestRecord.Operation { get }
    /// As the operation takes it.
    var recordedInput: JSONValue { get }
    /// What the caller set beside the input; nil for nothing.
    var recordedParameters: JSONValue? { get }
}

extension RecordedBody {
    var recordedParameters: JSONValue? { nil }
}

extension JSONValue: RecordedBody {
    var operation: RequestRecord.Operation { .chain }
    var recordedInput: JSONValue { self }
}

extension Array: RecordedBody where Element == String {
    var operation: RequestRecord.Operation { .embeddings }
    var recordedInput: JSONValue { .array(self.map { .string($0) }) }
}

extension TensorRequest: RecordedBody {
    var operation: RequestRecord.Operation { .tensors }

    var recordedInput: JSONValue {
        var input: [String: JSONValue] = ["inputs": .array(self.inputs.map(\.recorded))]
        if !self.outputs.isEmpty { input["outputs"] = .array(self.outputs.map { .string($0) }) }
        return .object(input)
    }
}

extension TextRequest: RecordedBody {
    var operation: RequestRecord.Operation {
        switch self.prompt {
        case .chat: .chat
        case .text: .completion
        }
    }

    var recordedInput: JSONValue {
        switch self.prompt {
        case .chat(let messages): ["messages": .array(messages.map(\.recorded))]
        case .text(let text): ["prompt": .string(text)]
        }
    }

    /// By their OpenAI names.
    var recordedParameters: JSONValue? {
        var given: [String: JSONValue] = [:]
        given["temperature"] = self.temperature.map { .number($0) }
        given["top_p"] = self.topP.map { .number($0) }
        given["seed"] = self.seed.map { .integer(Int64($0)) }
        given["frequency_penalty"] = self.frequencyPenalty.map { .number($0) }
        given["presence_penalty"] = self.presencePenalty.map { .number($0) }
        given[self.maxTokensName] = self.maxTokens.map { .integer(Int64($0)) }
        given["top_logprobs"] = self.topLogProbabilities.map { .integer(Int64($0)) }
        if !self.stop.isEmpty { given["stop"] = .array(self.stop.map { .string($0) }) }
        if !self.logitBias.isEmpty {
            given["logit_bias"] = .object(
                Dictionary(uniqueKeysWithValues: self.logitBias.map { ("\($0.key)", .number($0.value)) })
            )
        }
        self.tools?.record(in: &given)
        given["response_format"] = self.format.recorded
        return given.isEmpty ? nil : .object(given)
    }
}

extension ChatMessage {
    /// The turn as records and chains have it.
    var recorded: JSONValue {
        var members: [String: JSONValue] = ["role": .string(self.role), "content": .string(self.content)]
        members["tool_call_id"] = self.toolCallID.map { .string($0) }
        if !self.toolCalls.isEmpty { members["tool_calls"] = .array(self.toolCalls.map(\.recorded)) }
        return .object(members)
    }
}

extension ToolCall {
    var recorded: JSONValue {
        ["id": .string(self.id), "name": .string(self.name), "arguments": .string(self.arguments)]
    }
}

extension ToolUse {
    fileprivate func record(in given: inout [String: JSONValue]) {
        given["tools"] = .array(
            self.functions.map { function in
                var members: [String: JSONValue] = [
                    "name": .string(function.name), "parameters": function.parameters,
                ]
                members["description"] = function.description.map { .string($0) }
                if function.isStrict { members["strict"] = true }
                return .object(members)
            }
        )
        given["tool_choice"] =
            switch self.choice {
            case .none: "none"
            case .auto: "auto"
            case .required: "required"
            case .function(let name): ["name": .string(name)]
            }
        given["parallel_tool_calls"] = .bool(self.allowsSeveral)
    }
}

extension OutputFormat {
    fileprivate var recorded: JSONValue? {
        switch self {
        case .text: return nil
        case .jsonObject: return ["type": "json_object"]
        case .jsonSchema(let named):
            var schema: [String: JSONValue] = [
                "name": .string(named.name), "schema": named.schema, "strict": .bool(named.isStrict),
            ]
            schema["description"] = named.description.map { .string($0) }
            return ["type": "json_schema", "json_schema": .object(schema)]
        }
    }
}
