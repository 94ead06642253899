internal import Foundation
internal import Planning
internal import Schema

// Requests as records have them, read back.
extension TextRequest {
    /// Throws `Conflict` for what was recorded otherwise than this version does.
    init(recorded input: JSONValue, _ parameters: JSONValue?) throws {
        if let messages = input["messages"] {
            self.init(prompt: .chat(try messages.decoded()))
        } else if let text = input["prompt"]?.string {
            self.init(prompt: .text(text))
        } else {
            throw MartletError.recordUnreadable("neither messages nor a prompt")
        }
        self.streams = false
        let given = parameters?.object ?? [:]
        self.temperature = given["temperature"]?.double
        self.topP = given["top_p"]?.double
        self.seed = try given["seed"]?.decoded()
        self.frequencyPenalty = given["frequency_penalty"]?.double
        self.presencePenalty = given["presence_penalty"]?.double
        for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"] {
            guard let limit = given[name] else { continue }
            (self.maxTokens, self.maxTokensName) = (try limit.decoded(), name)
        }
        self.topLogProbabilities = try given["top_logprobs"]?.decoded()
        self.stop = try given["stop"]?.decoded() ?? []
        for (token, bias) in given["logit_bias"]?.object ?? [:] {
            guard let token = Token(token), let bias = bias.double else { continue }
            self.logitBias[token] = bias
        }
        self.tools = try ToolUse(recorded: given)
        self.format = try OutputFormat(recorded: given["response_format"])
    }
}

extension ToolUse {
    fileprivate init?(recorded given: [String: JSONValue]) throws {
        guard let tools = given["tools"]?.array else { return nil }
        let functions = tools.map { tool in
            ToolFunction(
                name: tool["name"]?.string ?? "",
                description: tool["description"]?.string,
                parameters: tool["parameters"] ?? ["type": "object"],
                isStrict: tool["strict"] == true
            )
        }
        let choice: ToolChoice =
            switch given["tool_choice"] {
            case "none": .none
            case "required": .required
            case .object(let named)?: .function(named["name"]?.string ?? "")
            case nil, .null?, .bool?, .integer?, .number?, .string?, .array?: .auto
            }
        self.init(functions, choice: choice, allowsSeveral: given["parallel_tool_calls"] != false)
    }
}

extension OutputFormat {
    fileprivate init(recorded value: JSONValue?) throws {
        switch value?["type"]?.string {
        case nil: self = .text
        case "json_object": self = .jsonObject
        case "json_schema":
            guard let named = value?["json_schema"], let schema = named["schema"] else {
                throw MartletError.recordUnreadable("no schema")
            }
            self = .jsonSchema(
                NamedSchema(
                    name: named["name"]?.string ?? "output",
                    description: named["description"]?.string,
                    schema: schema,
                    isStrict: named["strict"] == true
                )
            )
        case .some(let other): throw MartletError.recordUnreadable("the format '\(other)'")
        }
    }
}

extension TensorRequest {
    /// Throws `Conflict` where a tensor was too large to be recorded.
    init(recorded input: JSONValue) throws {
        let inputs = try (input["inputs"]?.array ?? []).map { try Tensor(recorded: $0) }
        let outputs = input["outputs"]?.array?.compactMap(\.string) ?? []
        self.init(inputs: inputs, outputs: outputs, priority: .background)
    }
}

extension Tensor {
    fileprivate init(recorded value: JSONValue) throws {
        guard let name = value["name"]?.string, let word = value["datatype"]?.string,
            let datatype = TensorDatatype(rawValue: word), let sizes = value["shape"]
        else { throw MartletError.recordUnreadable("a tensor without name, datatype or shape") }
        let shape: [Int] = try sizes.decoded()
        if let text = value["base64"]?.string, let bytes = Data(base64Encoded: text) {
            self.init(name: name, datatype: datatype, shape: shape, bytes: Array(bytes))
        } else if let elements = value["data"] {
            let flat = try Tensor(elements, as: TensorDescription(name: name, datatype: datatype, shape: nil))
            self.init(name: name, datatype: datatype, shape: shape, bytes: flat.bytes)
        } else {
            throw MartletError(
                "Conflict",
                "tensor '\(name)' was too large to be recorded, so that it cannot be sent again"
            )
        }
    }
}

extension JSONValue {
    fileprivate func decoded<Value: Decodable>() throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(self.canonicalJSON.utf8))
        } catch {
            throw MartletError.recordUnreadable("\(error)")
        }
    }
}

extension MartletError {
    fileprivate static func recordUnreadable(_ what: String) -> MartletError {
        MartletError("Conflict", "the record cannot be read as a request: \(what)")
    }
}
