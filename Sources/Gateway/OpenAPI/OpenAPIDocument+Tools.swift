internal import Schema

extension OpenAPIDocument {
    /// What both routes that know functions and formats share.
    static let toolSchemas: [String: JSONValue] = [
        "Tool": Self.object(
            ["type": ["const": "function"], "function": Self.object(Self.function, required: ["name"], closed: true)],
            required: ["type", "function"],
            closed: true
        ),
        "ToolCall": Self.object(
            [
                "id": Self.string, "type": ["const": "function"],
                "function": Self.object(
                    [
                        "name": Self.string,
                        "arguments": ["type": "string", "description": "The text of a JSON object."],
                    ],
                    required: ["name", "arguments"]
                ),
            ],
            required: ["id", "function"]
        ),
        "LogitBias": [
            "type": "object", "description": "Added to the logits of tokens, by their number.",
            "additionalProperties": ["type": "number", "minimum": -100, "maximum": 100],
        ],
        "ResponseRequest": Self.object(Self.responseProperties, required: ["model", "input"], closed: true),
        "ResponsePart": Self.object(
            ["type": Self.words(["input_text", "output_text"]), "text": Self.string],
            required: ["type", "text"]
        ),
        "ResponseItem": ["oneOf": [Self.messageItem, Self.callItem, Self.resultItem]],
        "Response": Self.response,
    ]

    private static let messageItem = Self.object(
        [
            "type": ["const": "message"], "role": Self.words(["user", "assistant", "system", "developer"]),
            "content": ["oneOf": [Self.string, Self.array(of: Self.reference("ResponsePart"))]],
        ],
        required: ["role", "content"]
    )

    private static let callItem = Self.object(
        ["type": ["const": "function_call"], "call_id": Self.string, "name": Self.string, "arguments": Self.string],
        required: ["type", "call_id", "name", "arguments"]
    )

    private static let resultItem = Self.object(
        ["type": ["const": "function_call_output"], "call_id": Self.string, "output": Self.string],
        required: ["type", "call_id", "output"]
    )

    private static let outputItem = Self.object(
        ["type": Self.words(["message", "function_call"]), "id": Self.string, "status": Self.string],
        required: ["type", "id", "status"]
    )

    private static let responseUsage = Self.object(
        ["input_tokens": Self.integer, "output_tokens": Self.integer, "total_tokens": Self.integer],
        required: ["input_tokens", "output_tokens", "total_tokens"]
    )

    private static let response = Self.object(
        [
            "id": Self.string,
            "object": ["const": "response"],
            "created_at": ["type": "integer", "description": "Seconds since 1970."],
            "model": Self.string,
            "status": Self.words(["completed", "incomplete"]),
            "output": Self.array(of: Self.outputItem),
            "usage": Self.responseUsage,
        ],
        required: ["id", "object", "created_at", "model", "status", "output", "usage"]
    )

    /// What a chat's request says of functions and formats.
    static let chatToolProperties: [String: JSONValue] = [
        "tools": Self.optional(Self.list(of: Self.reference("Tool"))),
        "tool_choice": Self.optional([
            "oneOf": [
                Self.words(["none", "auto", "required"]),
                Self.object(
                    [
                        "type": ["const": "function"],
                        "function": Self.object(["name": Self.string], required: ["name"], closed: true),
                    ],
                    required: ["type", "function"],
                    closed: true
                ),
            ]
        ]),
        "parallel_tool_calls": Self.optional(Self.boolean),
        "logit_bias": Self.optional(Self.reference("LogitBias")),
        "response_format": Self.optional([
            "oneOf": [
                Self.object(["type": Self.words(["text", "json_object"])], required: ["type"], closed: true),
                Self.object(
                    [
                        "type": ["const": "json_schema"],
                        "json_schema": Self.object(Self.namedSchema, required: ["name", "schema"], closed: true),
                    ],
                    required: ["type", "json_schema"],
                    closed: true
                ),
            ]
        ]),
    ]

    private static let name: JSONValue = ["type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"]

    private static let function: [String: JSONValue] = [
        "name": Self.name,
        "description": Self.optional(Self.string),
        "parameters": Self.optional(["type": "object", "description": "A JSON Schema."]),
        "strict": Self.optional(Self.boolean),
    ]

    private static let namedSchema: [String: JSONValue] = [
        "name": Self.name,
        "description": Self.optional(Self.string),
        "schema": ["type": "object", "description": "A JSON Schema."],
        "strict": Self.optional(Self.boolean),
    ]

    private static let responseProperties: [String: JSONValue] = [
        "model": ["type": "string", "description": "`desk`, or `shop/desk` in another namespace."],
        "input": [
            "oneOf": [
                Self.string, ["type": "array", "minItems": 1, "items": Self.reference("ResponseItem")],
            ]
        ],
        "instructions": Self.optional(Self.string),
        "stream": Self.optional(Self.boolean),
        "temperature": Self.optional(["type": "number", "minimum": 0, "maximum": 2]),
        "top_p": Self.optional(["type": "number", "minimum": 0, "maximum": 1]),
        "max_output_tokens": Self.optional(["type": "integer", "minimum": 1]),
        "top_logprobs": Self.optional(["type": "integer", "minimum": 0, "maximum": 20]),
        "include": Self.optional(Self.array(of: ["const": "message.output_text.logprobs"])),
        "tools": Self.optional(
            Self.list(
                of: Self.object(
                    Self.function.merging(["type": ["const": "function"]]) { first, _ in first },
                    required: ["type", "name"],
                    closed: true
                )
            )
        ),
        "tool_choice": Self.optional([
            "oneOf": [
                Self.words(["none", "auto", "required"]),
                Self.object(
                    ["type": ["const": "function"], "name": Self.string],
                    required: ["type", "name"],
                    closed: true
                ),
            ]
        ]),
        "parallel_tool_calls": Self.optional(Self.boolean),
        "text": Self.optional(
            Self.object(
                [
                    "format": [
                        "oneOf": [
                            Self.object(
                                ["type": Self.words(["text", "json_object"])],
                                required: ["type"],
                                closed: true
                            ),
                            Self.object(
                                Self.namedSchema.merging(["type": ["const": "json_schema"]]) { first, _ in first },
                                required: ["type", "name", "schema"],
                                closed: true
                            ),
                        ]
                    ]
                ],
                closed: true
            )
        ),
        "store": Self.optional(["const": false]),
        "background": Self.optional(["const": false]),
        "truncation": Self.optional(["const": "disabled"]),
        "service_tier": Self.optional(Self.words(["auto", "default"])),
        "metadata": Self.optional(["type": "object"]),
        "user": Self.optional(Self.string),
        "safety_identifier": Self.optional(Self.string),
        "prompt_cache_key": Self.optional(Self.string),
    ]

    private static func list(of element: JSONValue) -> JSONValue {
        ["type": "array", "maxItems": .integer(Int64(ParameterReader.maximumTools)), "items": element]
    }
}
