internal import Schema

extension OpenAPIDocument {
    static let dataPlaneSchemas: [String: JSONValue] = [
        Self.requestSchemas, Self.answerSchemas, Self.toolSchemas,
    ].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    private static let requestSchemas: [String: JSONValue] = [
        "ChatRequest": Self.object(
            Self.samplingProperties.merging([
                "messages": ["type": "array", "minItems": 1, "items": Self.reference("Message")],
                "max_completion_tokens": Self.optional(["type": "integer", "minimum": 1]),
                "logprobs": Self.optional(Self.boolean),
                "top_logprobs": Self.optional(["type": "integer", "minimum": 0, "maximum": 20]),
                "metadata": Self.optional(["type": "object"]),
                "safety_identifier": Self.optional(Self.string),
                "prompt_cache_key": Self.optional(Self.string),
                "modalities": Self.optional(Self.array(of: ["const": "text"])),
                "service_tier": Self.optional(Self.words(["auto", "default"])),
                "store": Self.optional(["const": false]),
            ]) { first, _ in first }.merging(Self.chatToolProperties) { first, _ in first },
            required: ["model", "messages"],
            closed: true
        ),
        "Message": Self.object(
            [
                "role": Self.words(["system", "developer", "user", "assistant", "tool"]),
                "content": [
                    "description": "A text, or parts that are put together as they stand; nothing beside calls.",
                    "oneOf": [Self.string, Self.array(of: Self.reference("TextPart")), ["type": "null"]],
                ],
                "tool_calls": [
                    "description": "The functions that an assistant's turn calls.",
                    "type": "array", "items": Self.reference("ToolCall"),
                ],
                "tool_call_id": ["type": "string", "description": "The call that a tool's turn is the result of."],
            ],
            required: ["role"]
        ),
        "TextPart": Self.object(
            ["type": ["const": "text"], "text": Self.string],
            required: ["type", "text"],
            closed: true
        ),
        "CompletionRequest": Self.object(
            Self.samplingProperties.merging([
                "prompt": ["oneOf": [Self.string, ["type": "array", "minItems": 1, "items": Self.string]]],
                "logprobs": Self.optional(["type": "integer", "minimum": 0, "maximum": 5]),
                "echo": Self.optional(["const": false]),
                "best_of": Self.optional(["const": 1]),
                "suffix": Self.optional(["const": ""]),
                "logit_bias": Self.optional(Self.reference("LogitBias")),
            ]) { first, _ in first },
            required: ["model", "prompt"],
            closed: true
        ),
        "EmbeddingRequest": Self.object(
            [
                "model": Self.string,
                "input": [
                    "oneOf": [
                        ["type": "string", "minLength": 1],
                        [
                            "type": "array", "minItems": 1, "maxItems": .integer(Int64(EmbeddingCall.maximumTexts)),
                            "items": ["type": "string", "minLength": 1],
                        ],
                    ]
                ],
                "encoding_format": Self.optional(Self.words(["float", "base64"])),
                "dimensions": Self.optional(["type": "integer", "minimum": 1]),
                "user": Self.optional(Self.string),
            ],
            required: ["model", "input"],
            closed: true
        ),
    ]

    /// What both text routes take.
    private static let samplingProperties: [String: JSONValue] = [
        "model": ["type": "string", "description": "`desk`, or `shop/desk` in another namespace."],
        "stream": Self.optional(Self.boolean),
        "stream_options": Self.optional(Self.object(["include_usage": Self.boolean], closed: true)),
        "n": Self.optional(["type": "integer", "minimum": 1, "maximum": 8]),
        "temperature": Self.optional(["type": "number", "minimum": 0, "maximum": 2]),
        "top_p": Self.optional(["type": "number", "minimum": 0, "maximum": 1]),
        "seed": Self.optional(Self.integer),
        "stop": Self.optional(["oneOf": [Self.string, ["type": "array", "maxItems": 4, "items": Self.string]]]),
        "max_tokens": Self.optional([
            "type": "integer", "minimum": 1, "description": "Without it, up to the end of the model's context.",
        ]),
        "frequency_penalty": Self.optional(["type": "number", "minimum": -2, "maximum": 2]),
        "presence_penalty": Self.optional(["type": "number", "minimum": -2, "maximum": 2]),
        "user": Self.optional(Self.string),
    ]

    private static let answerSchemas: [String: JSONValue] = [
        "ChatAnswer": Self.textAnswer(
            object: "chat.completion",
            choice: [
                "message": Self.object([
                    "role": ["const": "assistant"], "content": Self.optional(Self.string),
                    "tool_calls": Self.array(of: Self.reference("ToolCall")),
                ])
            ]
        ),
        "CompletionAnswer": Self.textAnswer(object: "text_completion", choice: ["text": Self.string]),
        "Usage": Self.object(
            [
                "prompt_tokens": Self.integer, "completion_tokens": Self.integer, "total_tokens": Self.integer,
                "prompt_tokens_details": Self.object(["cached_tokens": Self.integer]),
            ],
            required: ["prompt_tokens", "completion_tokens", "total_tokens"]
        ),
        "Embeddings": Self.object(
            [
                "object": ["const": "list"],
                "model": Self.string,
                "data": Self.array(
                    of: Self.object(
                        [
                            "object": ["const": "embedding"], "index": Self.integer,
                            "embedding": ["oneOf": [Self.array(of: ["type": "number"]), Self.string]],
                        ],
                        required: ["object", "index", "embedding"]
                    )
                ),
                "usage": Self.object(["prompt_tokens": Self.integer, "total_tokens": Self.integer]),
            ],
            required: ["object", "model", "data", "usage"]
        ),
        "ModelList": Self.object(
            ["object": ["const": "list"], "data": Self.array(of: Self.reference("Model"))],
            required: ["object", "data"]
        ),
        "Model": Self.object(
            [
                "id": Self.string, "object": ["const": "model"],
                "created": [
                    "type": "integer", "description": "Since when its revision serves, in seconds since 1970.",
                ],
                "owned_by": ["type": "string", "description": "The endpoint's namespace."],
            ],
            required: ["id", "object", "created", "owned_by"]
        ),
        "Error": Self.object(
            [
                "error": Self.object(
                    [
                        "message": Self.string, "type": Self.string, "param": Self.optional(Self.string),
                        "code": Self.string,
                    ],
                    required: ["message", "type", "param", "code"]
                )
            ],
            required: ["error"]
        ),
    ]

    private static func textAnswer(object: String, choice: [String: JSONValue]) -> JSONValue {
        let common: [String: JSONValue] = [
            "index": Self.integer, "finish_reason": Self.words(["stop", "length", "tool_calls", "content_filter"]),
            "logprobs": Self.optional(["type": "object"]),
        ]
        return Self.object(
            [
                "id": Self.string,
                "object": ["const": .string(object)],
                "created": ["type": "integer", "description": "Seconds since 1970."],
                "model": Self.string,
                "system_fingerprint": Self.string,
                "choices": Self.array(
                    of: Self.object(
                        common.merging(choice) { first, _ in first },
                        required: Array(common.keys) + choice.keys
                    )
                ),
                "usage": Self.reference("Usage"),
            ],
            required: ["id", "object", "created", "model", "choices", "usage"]
        )
    }

    /// The schema, or null: clients write what they do not set that way.
    static func optional(_ schema: JSONValue) -> JSONValue {
        ["anyOf": [schema, ["type": "null"]]]
    }
}
