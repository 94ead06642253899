internal import Schema

/// What becomes of each parameter that OpenAI knows: none is ever ignored in silence.
struct ParameterRules {
    enum Rule {
        /// Read by the route.
        case honoured
        /// Only says something about the caller, or about what Martlet does anyway; any value of its type will do.
        case harmless(HarmlessType)
        /// Asks for what Martlet cannot do, unless it has one of the values that ask for nothing.
        case refused(except: [JSONValue])
    }

    /// What the value of a harmless parameter must be all the same.
    enum HarmlessType {
        case text
        case textsByName
    }

    let rules: [String: Rule]

    init(
        honoured: [String],
        harmless: [String: HarmlessType] = [:],
        refused: [String] = [],
        neutral: [String: [JSONValue]] = [:]
    ) {
        var rules: [String: Rule] = [:]
        for name in honoured { rules[name] = .honoured }
        for (name, type) in harmless { rules[name] = .harmless(type) }
        for name in refused { rules[name] = .refused(except: []) }
        for (name, values) in neutral { rules[name] = .refused(except: values) }
        self.rules = rules
    }

    /// Throws `unsupported_parameter` for the first name that is refused or not known.
    func check(_ reader: ParameterReader) throws {
        for name in reader.names {
            let path = reader.path(name)
            switch self.rules[name] {
            case .honoured: continue
            case .harmless(.text): _ = try reader.string(name)
            case .harmless(.textsByName): try reader.object(name)?.requireTexts()
            case .refused(let neutral):
                guard let value = reader[name], !neutral.contains(value) else { continue }
                throw OpenAIError.unsupported(self.refusal(of: path, neutral: neutral), parameter: path)
            case nil:
                let hint = NearestWord.hint(for: name, among: self.rules.keys, otherwise: ".")
                throw OpenAIError.unsupported("'\(path.shortened)' is not a known parameter\(hint)", parameter: path)
            }
        }
    }

    private func refusal(of path: String, neutral: [JSONValue]) -> String {
        guard !neutral.isEmpty else { return "'\(path)' is not supported; leave it out." }
        let allowed = neutral.map(\.canonicalJSON).joined(separator: " or ")
        return "'\(path)' is supported only as \(allowed)."
    }
}

extension ParameterRules {
    /// Of `POST /v1/chat/completions`.
    static let chat = ParameterRules(
        honoured: [
            "model", "messages", "stream", "stream_options", "n", "temperature", "top_p", "seed", "stop",
            "max_tokens", "max_completion_tokens", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs",
            "tools", "tool_choice", "parallel_tool_calls", "response_format", "logit_bias",
        ],
        harmless: ["user": .text, "metadata": .textsByName, "safety_identifier": .text, "prompt_cache_key": .text],
        refused: [
            "functions", "function_call", "audio", "prediction", "reasoning_effort", "verbosity", "web_search_options",
            "prompt_cache_retention",
        ],
        neutral: [
            "modalities": [["text"]],
            "store": [false],
            "service_tier": ["auto", "default"],
        ]
    )

    /// Of `POST /v1/completions`.
    static let completions = ParameterRules(
        honoured: [
            "model", "prompt", "stream", "stream_options", "n", "temperature", "top_p", "seed", "stop", "max_tokens",
            "frequency_penalty", "presence_penalty", "logprobs", "logit_bias",
        ],
        harmless: ["user": .text],
        neutral: [
            "suffix": [""],
            "echo": [false],
            "best_of": [1],
        ]
    )

    /// Of `POST /v1/embeddings`.
    static let embeddings = ParameterRules(
        honoured: ["model", "input", "encoding_format", "dimensions"],
        harmless: ["user": .text]
    )

    /// Of one message of a chat.
    static let message = ParameterRules(
        honoured: ["role", "content"],
        refused: ["name", "tool_calls", "tool_call_id", "function_call", "audio"],
        neutral: ["annotations": [[]], "refusal": [""]]
    )

    /// Of an assistant's message, which may call functions.
    static let assistantMessage = ParameterRules(
        honoured: ["role", "content", "tool_calls"],
        refused: ["name", "function_call", "audio"],
        neutral: ["annotations": [[]], "refusal": [""]]
    )

    /// Of a message with the result of a call.
    static let toolMessage = ParameterRules(honoured: ["role", "content", "tool_call_id"], refused: ["name"])

    /// Of `stream_options`.
    static let streamOptions = ParameterRules(honoured: ["include_usage"], neutral: ["include_obfuscation": [false]])
}
