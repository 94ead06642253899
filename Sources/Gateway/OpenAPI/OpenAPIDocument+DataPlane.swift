internal import Schema

extension OpenAPIDocument {
    static let dataPlanePaths: [String: JSONValue] = [
        "/v1/chat/completions": [
            "post": Self.text("createChatCompletion", "Answers a conversation.", "ChatRequest", "ChatAnswer")
        ],
        "/v1/completions": [
            "post": Self.text("createCompletion", "Continues texts.", "CompletionRequest", "CompletionAnswer")
        ],
        "/v1/responses": [
            "post": Self.operation(
                "createResponse",
                "Answers a conversation; nothing is stored.",
                body: Self.reference("ResponseRequest"),
                answers: Self.failures(
                    with: Self.answer(
                        "The response, whole or, with `stream`, as server-sent events that name their type.",
                        ["application/json": Self.reference("Response"), "text/event-stream": Self.string]
                    )
                )
            )
        ],
        "/v1/embeddings": [
            "post": Self.operation(
                "createEmbeddings",
                "Turns texts into vectors.",
                body: Self.reference("EmbeddingRequest"),
                answers: Self.failures(
                    with: Self.answer("Vectors.", ["application/json": Self.reference("Embeddings")])
                )
            )
        ],
        "/v1/models": [
            "get": Self.operation(
                "listModels",
                "Lists the endpoints that the caller may use.",
                answers: ["200": Self.answer("Endpoints.", ["application/json": Self.reference("ModelList")])]
            )
        ],
        "/v1/models/{model}": ["get": Self.model("getModel", [Self.modelParameter])],
        "/v1/models/{model}/{name}": [
            "get": Self.model(
                "getModelInNamespace",
                [
                    Self.parameter("model", in: "path", Self.string, "The endpoint's namespace."),
                    Self.parameter("name", in: "path", Self.string, "The endpoint's name."),
                ]
            )
        ],
        "/v1/chains/{endpoint}": [
            "post": Self.operation(
                "runChain",
                "Runs an endpoint's chain on its own input.",
                parameters: [
                    Self.parameter("endpoint", in: "path", Self.string, "`desk`, or `shop.desk` in another namespace."),
                    Self.parameter("stream", in: "query", Self.boolean, "Tell every step as a server-sent event."),
                ],
                body: [:],
                answers: Self.failures(
                    with: Self.answer(
                        "The chain's output, or its steps.",
                        ["application/json": [:], "text/event-stream": Self.string]
                    )
                )
            )
        ],
        "/openapi.json": [
            "get": Self.operation(
                "getDataPlaneDescription",
                "This document.",
                answers: ["200": Self.answer("OpenAPI 3.1.", ["application/json": ["type": "object"]])]
            )
        ],
    ]

    private static let modelParameter = Self.parameter(
        "model",
        in: "path",
        Self.string,
        "`desk`, or `shop.desk` in another namespace."
    )

    private static func model(_ id: String, _ parameters: [JSONValue]) -> JSONValue {
        Self.operation(
            id,
            "Shows one endpoint.",
            parameters: parameters,
            answers: [
                "200": Self.answer("An endpoint.", ["application/json": Self.reference("Model")]),
                "404": Self.answer("Unknown or forbidden.", ["application/json": Self.reference("Error")]),
            ]
        )
    }

    private static func text(_ id: String, _ summary: String, _ request: String, _ answer: String) -> JSONValue {
        Self.operation(
            id,
            summary,
            body: Self.reference(request),
            answers: Self.failures(
                with: Self.answer(
                    "The answer, whole or, with `stream`, as server-sent events that end in `[DONE]`.",
                    ["application/json": Self.reference(answer), "text/event-stream": Self.string]
                )
            )
        )
    }

    /// What every call of an endpoint can answer, beside its success.
    private static func failures(with success: JSONValue) -> [String: JSONValue] {
        let failures = [
            "400": "The request is wrong, too long, or asks for what is not supported.",
            "404": "The endpoint is unknown or forbidden.",
            "413": "The body is larger than the endpoint allows.",
            "429": "Too much for now, and `Retry-After` says when to try again; or, without it, a quota is used up.",
            "500": "The model or a step failed.",
            "503": "Nothing serves the endpoint in time; `Retry-After` says when to try again.",
            "504": "The endpoint's time-out is over.",
        ]
        return failures.mapValues { Self.answer($0, ["application/json": Self.reference("Error")]) }
            .merging(["200": success]) { first, _ in first }
    }
}
