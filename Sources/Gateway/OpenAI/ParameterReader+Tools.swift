internal import Planning
internal import Schema
internal import Serving

extension ParameterReader {
    /// The most functions that one request may offer, as at OpenAI.
    static let maximumTools = 128
    /// The most bytes of all schemas of a request, written without white space.
    static let maximumSchemaBytes = 128 << 10

    /// `tools`, `tool_choice` and `parallel_tool_calls`; nil where no function is offered.
    ///
    /// - Parameter isNested: whether a function's members stand in a member `function`, as in chats.
    func tools(isNested: Bool) throws -> ToolUse? {
        let functions = try self.functions(isNested: isNested)
        let choice = try self.toolChoice(isNested: isNested, among: functions.map(\.name))
        let allowsSeveral = try self.boolean("parallel_tool_calls")
        guard !functions.isEmpty else {
            for name in ["tool_choice", "parallel_tool_calls"] where self[name] != nil {
                if name == "tool_choice", choice == ToolChoice.none { continue }
                throw OpenAIError.invalid("'\(name)' needs 'tools'.", parameter: name)
            }
            return nil
        }
        return ToolUse(functions, choice: choice ?? .auto, allowsSeveral: allowsSeveral ?? true)
    }

    /// `arguments` of a call of a function: empty, or the text of a JSON object.
    func callArguments() throws -> String {
        let arguments = try self.required("arguments", self.string("arguments"))
        guard arguments.isEmpty || (try? JSONValue(parsing: arguments))?.object != nil else {
            let path = self.path("arguments")
            throw OpenAIError.invalid("'\(path)' must be the text of a JSON object.", parameter: path)
        }
        return arguments
    }

    /// `logit_bias`: by token id, -100 to 100.
    func logitBias() throws -> [Token: Double] {
        guard let biases = try self.object("logit_bias") else { return [:] }
        guard biases.names.count <= 1024 else {
            throw OpenAIError.invalid("'logit_bias' takes up to 1024 tokens.", parameter: "logit_bias")
        }
        return try biases.names.reduce(into: [:]) { found, name in
            guard let token = Token(name), token >= 0 else {
                throw OpenAIError.invalid(
                    "'\(biases.path(name).shortened)' is no token id: those are whole numbers, 0 or more.",
                    parameter: "logit_bias"
                )
            }
            found[token] = try biases.number(name, in: -100...100)
        }
    }

    /// `{"type": "text" | "json_object" | "json_schema"}`; a schema's members stand in a member `json_schema` where
    /// `isNested`, as in chats.
    func outputFormat(_ name: String, isNested: Bool) throws -> OutputFormat {
        guard let format = try self.object(name) else { return .text }
        let type = try format.required("type", format.string("type"))
        switch type {
        case "text", "json_object":
            try ParameterRules(honoured: ["type"]).check(format)
            return type == "text" ? .text : .jsonObject
        case "json_schema":
            let members = ["name", "description", "schema", "strict"]
            try ParameterRules(honoured: isNested ? ["type", "json_schema"] : ["type"] + members).check(format)
            let named =
                isNested ? try format.required("json_schema", format.object("json_schema")) : format
            if isNested { try ParameterRules(honoured: members).check(named) }
            return .jsonSchema(
                OutputFormat.NamedSchema(
                    name: try named.functionName(),
                    description: try named.string("description"),
                    schema: try named.required("schema", named.schema("schema")),
                    isStrict: try named.boolean("strict") ?? false
                )
            )
        default:
            throw OpenAIError.unsupported(
                "'\(format.path("type"))' must be 'text', 'json_object' or 'json_schema', not '\(type.shortened)'.",
                parameter: format.path("type")
            )
        }
    }

    private func functions(isNested: Bool) throws -> [ToolFunction] {
        guard let value = self["tools"] else { return [] }
        guard case .array(let elements) = value else { throw self.wrongType("tools", "an array of functions") }
        guard elements.count <= Self.maximumTools else {
            throw OpenAIError.invalid("'tools' takes up to \(Self.maximumTools) functions.", parameter: "tools")
        }
        var functions: [ToolFunction] = []
        for (index, element) in elements.enumerated() {
            guard case .object(let members) = element else { throw self.wrongType("tools[\(index)]", "an object") }
            let tool = ParameterReader(members, prefix: "tools[\(index)].")
            let type = try tool.required("type", tool.string("type"))
            guard type == "function" else {
                throw OpenAIError.unsupported(
                    "Tools of type '\(type.shortened)' are not supported; only functions are.",
                    parameter: tool.path("type")
                )
            }
            let function = try tool.function(isNested: isNested)
            guard !functions.contains(where: { $0.name == function.name }) else {
                throw OpenAIError.invalid("Two functions are named '\(function.name)'.", parameter: "tools[\(index)]")
            }
            functions.append(function)
        }
        let bytes = functions.reduce(0) { $0 + $1.parameters.canonicalJSON.utf8.count }
        guard bytes <= Self.maximumSchemaBytes else { throw Self.schemaTooLarge("tools") }
        return functions
    }

    private func function(isNested: Bool) throws -> ToolFunction {
        let members = ["name", "description", "parameters", "strict"]
        try ParameterRules(honoured: isNested ? ["type", "function"] : ["type"] + members).check(self)
        let function = isNested ? try self.required("function", self.object("function")) : self
        if isNested { try ParameterRules(honoured: members).check(function) }
        var tool = ToolFunction(
            name: try function.functionName(),
            description: try function.string("description"),
            isStrict: try function.boolean("strict") ?? false
        )
        if let schema = try function.schema("parameters") { tool.parameters = schema }
        return tool
    }

    /// `name`: 1 to 64 letters, digits, `_` and `-`.
    private func functionName() throws -> String {
        let name = try self.required("name", self.string("name"))
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...64).contains(name.utf8.count) else {
            throw OpenAIError.invalid(
                "'\(self.path("name"))' takes 1 to 64 letters, digits, '_' and '-'.",
                parameter: self.path("name")
            )
        }
        return name
    }

    private func schema(_ name: String) throws -> JSONValue? {
        guard let value = self[name] else { return nil }
        guard case .object = value else { throw self.wrongType(name, "a JSON Schema") }
        guard value.canonicalJSON.utf8.count <= Self.maximumSchemaBytes else {
            throw Self.schemaTooLarge(self.path(name))
        }
        return value
    }

    private static func schemaTooLarge(_ parameter: String) -> OpenAIError {
        .invalid("The schemas of '\(parameter)' are over \(Self.maximumSchemaBytes) bytes.", parameter: parameter)
    }

    private func toolChoice(isNested: Bool, among names: [String]) throws -> ToolChoice? {
        guard let value = self["tool_choice"] else { return nil }
        if let word = value.string {
            switch word {
            case "none": return ToolChoice.none
            case "auto": return .auto
            case "required": return .required
            default:
                throw OpenAIError.invalid(
                    "'tool_choice' must be 'none', 'auto', 'required' or a function, not '\(word.shortened)'.",
                    parameter: "tool_choice"
                )
            }
        }
        guard let choice = try self.object("tool_choice") else { return nil }
        guard try choice.string("type") == "function" else {
            throw OpenAIError.unsupported(
                "'tool_choice' is supported as a word or as one function.",
                parameter: "tool_choice.type"
            )
        }
        try ParameterRules(honoured: ["type", isNested ? "function" : "name"]).check(choice)
        let function = isNested ? try choice.required("function", choice.object("function")) : choice
        if isNested { try ParameterRules(honoured: ["name"]).check(function) }
        let name = try function.required("name", function.string("name"))
        guard names.contains(name) else {
            throw OpenAIError.invalid(
                "'tool_choice' names '\(name.shortened)', which is none of 'tools'.",
                parameter: function.path("name")
            )
        }
        return .function(name)
    }
}
