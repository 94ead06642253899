internal import Planning
internal import Schema
internal import Serving

/// A decoded request of `POST /v1/responses`.
struct ResponseCall: Sendable {
    /// `model` as the caller wrote it.
    var model: String
    var request: TextRequest
    var streams: Bool
    /// What the answer repeats of the request, by its own names.
    var echo: [String: JSONValue]

    init(_ body: [UInt8]) throws {
        let reader = try ParameterReader(body: body)
        try ParameterRules.responses.check(reader)
        self.model = try reader.required("model", reader.string("model"))
        self.streams = try reader.boolean("stream") ?? false
        if let options = try reader.object("stream_options") {
            try ParameterRules(honoured: [], neutral: ["include_obfuscation": [false]]).check(options)
        }
        var request = TextRequest(prompt: .chat(try ResponseInput.messages(reader)))
        request.temperature = try reader.number("temperature", in: 0...2)
        request.topP = try reader.number("top_p", in: 0...1)
        request.maxTokens = try reader.integer("max_output_tokens", in: 1...Int64(Int32.max)).map { Int($0) }
        request.maxTokensName = "max_output_tokens"
        request.tools = try reader.tools(isNested: false)
        if let text = try reader.object("text") {
            try ParameterRules(honoured: ["format"], refused: ["verbosity"]).check(text)
            request.format = try text.outputFormat("format", isNested: false)
        }
        request.topLogProbabilities = try Self.topLogProbabilities(reader)
        self.request = request
        self.echo = Self.echo(reader, request)
    }

    /// `include: ["message.output_text.logprobs"]`, and how many alternatives.
    private static func topLogProbabilities(_ reader: ParameterReader) throws -> Int? {
        let included = try reader.strings("include") ?? []
        let name = "message.output_text.logprobs"
        if let other = included.first(where: { $0 != name }) {
            throw OpenAIError.unsupported(
                "'include' is supported only with '\(name)', not '\(other.shortened)'.",
                parameter: "include"
            )
        }
        let count = try reader.integer("top_logprobs", in: 0...20)
        guard !included.isEmpty else {
            guard count ?? 0 == 0 else {
                throw OpenAIError.invalid("'top_logprobs' needs 'include': [\"\(name)\"].", parameter: "top_logprobs")
            }
            return nil
        }
        return Int(count ?? 0)
    }

    /// What stands in an answer where the request says nothing.
    private static let echoed: [String: JSONValue] = [
        "instructions": .null, "max_output_tokens": .null, "metadata": .object([:]), "parallel_tool_calls": .bool(true),
        "temperature": .integer(1), "text": .object(["format": .object(["type": .string("text")])]),
        "tool_choice": .string("auto"), "tools": .array([]), "top_p": .integer(1), "user": .null,
    ]

    private static func echo(_ reader: ParameterReader, _ request: TextRequest) -> [String: JSONValue] {
        var echo = Self.echoed
        for name in Self.echoed.keys {
            if let given = reader[name] { echo[name] = given }
        }
        echo["top_logprobs"] = .integer(Int64(request.topLogProbabilities ?? 0))
        return echo
    }

    /// What an error means here: parameters by the names that this route gives them.
    static func error(_ error: any Error) -> OpenAIError {
        var told = OpenAIError(error).naming(prompt: "input")
        switch told.parameter {
        case "response_format": told.parameter = "text.format"
        case "messages": told.parameter = "input"
        case let parameter?: told.parameter = parameter.replacing("].function.", with: "].")
        case nil: break
        }
        return told
    }
}

extension ParameterRules {
    /// Of `POST /v1/responses`.
    static let responses = ParameterRules(
        honoured: [
            "model", "input", "instructions", "stream", "stream_options", "temperature", "top_p", "max_output_tokens",
            "tools", "tool_choice", "parallel_tool_calls", "text", "include", "top_logprobs",
        ],
        harmless: ["user": .text, "metadata": .textsByName, "safety_identifier": .text, "prompt_cache_key": .text],
        refused: [
            "previous_response_id", "conversation", "prompt", "reasoning", "max_tool_calls", "context_management",
            "prompt_cache_retention",
        ],
        neutral: [
            "store": [false],
            "background": [false],
            "truncation": ["disabled"],
            "service_tier": ["auto", "default"],
        ]
    )
}
