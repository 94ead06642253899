internal import Schema

extension OpenAPIDocument {
    static let dataPlaneSchemas: [String: JSONValue] = Self.requestSchemas.merging(Self.answerSchemas) { first, _ in
        first
    }

    private static let requestSchemas: [String: JSONValue] = [
        "ChatRequest": Self.object(
            Self.samplingProperties.merging([
                "messages": ["type": "array", "minItems": 1, "items": Self.reference("Message")],
                "max_completion_tokens": Self.nullable(["type": "integer", "minimum": 1]),
                "logprobs": Self.nullable(Self.boolean),
                "top_logprobs": Self.nullable(["type": "integer", "minimum": 0, "maximum": 20]),
                "metadata": Self.nullable(["type": "object"]),
                "safety_identifier": Self.nullable(Self.string),
                "prompt_cache_key": Self.nullable(Self.string),
                "response_format": Self.nullable(Self.object(["type": ["const": "text"]])),
                "modalities": Self.nullable(Self.array(of: ["const": "text"])),
                "service_tier": Self.nullable(Self.words(["auto", "default"])),
                "store": Self.nullable(["const": false]),
                "logit_bias": Self.nullable(["type": "object", "maxProperties": 0]),
            ]) { first, _ in first },
            required: ["model", "messages"],
            closed: true
        ),
        "Message": Self.object(
            [
                "role": Self.words(["system", "developer", "user", "assistant"]),
                "content": [
                    "description": "A text, or parts that are put together as they stand.",
                    "oneOf": [Self.string, Self.array(of: Self.reference("TextPart"))],
                ],
            ],
            required: ["role", "content"]
        ),
        "TextPart": Self.object(
            ["type": ["const": "text"], "text": Self.string],
            required: ["type", "text"],
            closed: true
        ),
        "CompletionRequest": Self.object(
            Self.samplingProperties.merging([
                "prompt": ["oneOf": [Self.string, ["type": "array", "minItems": 1, "items": Self.string]]],
                "logprobs": Self.nullable(["type": "integer", "minimum": 0, "maximum": 5]),
                "echo": Self.nullable(["const": false]),
                "best_of": Self.nullable(["const": 1]),
                "suffix": Self.nullable(["const": ""]),
                "logit_bias": Self.nullable(["type": "object", "maxProperties": 0]),
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
                "encoding_format": Self.nullable(Self.words(["float", "base64"])),
                "dimensions": Self.nullable(["type": "integer", "minimum": 1]),
                "user": Self.nullable(Self.string),
            ],
            required: ["model", "input"],
            closed: true
        ),
    ]

    /// What both text routes take.
    private static let samplingProperties: [String: JSONValue] = [
        "model": ["type": "string", "description": "`desk`, or `shop/desk` in another namespace."],
        "stream": Self.nullable(Self.boolean),
        "stream_options": Self.nullable(Self.object(["include_usage": Self.boolean], closed: true)),
        "n": Self.nullable(["type": "integer", "minimum": 1, "maximum": 8]),
        "temperature": Self.nullable(["type": "number", "minimum": 0, "maximum": 2]),
        "top_p": Self.nullable(["type": "number", "minimum": 0, "maximum": 1]),
        "seed": Self.nullable(Self.integer),
        "stop": Self.nullable(["oneOf": [Self.string, ["type": "array", "maxItems": 4, "items": Self.string]]]),
        "max_tokens": Self.nullable([
            "type": "integer", "minimum": 1, "description": "Without it, up to the end of the model's context.",
        ]),
        "frequency_penalty": Self.nullable(["type": "number", "minimum": -2, "maximum": 2]),
        "presence_penalty": Self.nullable(["type": "number", "minimum": -2, "maximum": 2]),
        "user": Self.nullable(Self.string),
    ]

    private static let answerSchemas: [String: JSONValue] = [
        "ChatAnswer": Self.textAnswer(
            object: "chat.completion",
            choice: ["message": Self.object(["role": ["const": "assistant"], "content": Self.string])]
        ),
        "CompletionAnswer": Self.textAnswer(object: "text_completion", choice: ["text": Self.string]),
        "Usage": Self.object(
            ["prompt_tokens": Self.integer, "completion_tokens": Self.integer, "total_tokens": Self.integer],
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
                        "message": Self.string, "type": Self.string, "param": Self.nullable(Self.string),
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
            "index": Self.integer, "finish_reason": Self.words(["stop", "length"]),
            "logprobs": Self.nullable(["type": "object"]),
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

    private static func nullable(_ schema: JSONValue) -> JSONValue {
        ["anyOf": [schema, ["type": "null"]]]
    }
}
