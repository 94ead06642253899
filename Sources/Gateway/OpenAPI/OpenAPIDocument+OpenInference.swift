internal import Planning
internal import Schema

// The Open Inference Protocol V2.
extension OpenAPIDocument {
    static let inferencePaths: [String: JSONValue] = {
        var paths: [String: JSONValue] = [
            "/v2": ["get": Self.inference("getInferenceServer", "Describes the server.", "InferenceServer")],
            "/v2/health/live": ["get": Self.inference("isLive", "Says that the server is there.", "InferenceHealth")],
            "/v2/health/ready": [
                "get": Self.inference("isReady", "Says whether every endpoint serves.", "InferenceHealth", waits: true)
            ],
            "/v2/repository/index": [
                "get": Self.inference("listRepository", "Lists the endpoints and their states.", "InferenceIndex"),
                "post": Self.inference(
                    "listRepositoryByPost",
                    "Lists the endpoints and their states, as Triton's clients ask.",
                    "InferenceIndex",
                    body: Self.object(["ready": Self.boolean], closed: true),
                    codes: [400, 413, 415]
                ),
            ],
        ]
        for (path, suffix, parameters) in [
            ("/v2/models/{model}", "", [Self.inferenceModel]),
            ("/v2/models/{model}/versions/{version}", "OfVersion", [Self.inferenceModel, Self.inferenceVersion]),
        ] {
            for (name, operation) in Self.modelOperations(suffix, parameters) { paths["\(path)\(name)"] = operation }
        }
        return paths
    }()

    private static let inferenceModel = Self.parameter(
        "model",
        in: "path",
        Self.string,
        "`desk`, or `shop.desk` in another namespace."
    )

    private static let inferenceVersion = Self.parameter(
        "version",
        in: "path",
        Self.string,
        "The first digits of a revision that serves."
    )

    private static func modelOperations(_ suffix: String, _ parameters: [JSONValue]) -> [String: JSONValue] {
        func calling(_ id: String, _ summary: String, _ request: String, _ answer: JSONValue) -> JSONValue {
            [
                "post": Self.inference(
                    id + suffix,
                    summary,
                    answer,
                    parameters,
                    body: Self.reference(request),
                    codes: Self.callCodes
                )
            ]
        }
        let generated = ["application/json": Self.reference("GenerateAnswer")]
        return [
            "": [
                "get": Self.inference(
                    "getInferenceModel\(suffix)",
                    "Says what an endpoint takes and gives.",
                    "InferenceModel",
                    parameters,
                    codes: [404, 500],
                    waits: true
                )
            ],
            "/ready": [
                "get": Self.inference(
                    "isModelReady\(suffix)",
                    "Says whether an endpoint serves.",
                    "InferenceHealth",
                    parameters,
                    codes: [404, 500],
                    waits: true
                )
            ],
            "/infer": calling(
                "infer",
                "Computes tensors.",
                "InferRequest",
                Self.answer(
                    "Tensors; with binary outputs, JSON of `Inference-Header-Content-Length` bytes and what they are.",
                    ["application/json": Self.reference("InferAnswer"), "application/octet-stream": Self.string]
                )
            ),
            "/generate": calling(
                "generate",
                "Goes on with a text.",
                "GenerateRequest",
                Self.answer("Text.", generated)
            ),
            "/generate_stream": calling(
                "generateStream",
                "Goes on with a text, piece by piece.",
                "GenerateRequest",
                Self.answer("Server-sent events, each a `GenerateAnswer`.", ["text/event-stream": Self.string])
            ),
        ]
    }

    private static let callCodes = [400, 404, 413, 415, 429, 500, 503, 504]

    /// An operation whose answer is of one schema.
    private static func inference(
        _ id: String,
        _ summary: String,
        _ schema: String,
        _ parameters: [JSONValue] = [],
        body: JSONValue? = nil,
        codes: [Int] = [],
        waits: Bool = false
    ) -> JSONValue {
        let answer = Self.answer("The answer.", ["application/json": Self.reference(schema)])
        return Self.inference(id, summary, answer, parameters, body: body, codes: codes, waits: waits)
    }

    /// - Parameters:
    ///   - codes: the statuses of its failures.
    ///   - waits: whether 503 says that something is not ready yet.
    private static func inference(
        _ id: String,
        _ summary: String,
        _ answer: JSONValue,
        _ parameters: [JSONValue] = [],
        body: JSONValue? = nil,
        codes: [Int],
        waits: Bool = false
    ) -> JSONValue {
        let failure = Self.answer("What is wrong.", ["application/json": Self.reference("InferenceError")])
        var answers = ["200": answer]
        for code in codes + (waits ? [503] : []) { answers["\(code)"] = failure }
        return Self.operation(id, summary, parameters: parameters, body: body, answers: answers)
    }

    // MARK: Schemas

    static let inferenceSchemas: [String: JSONValue] = [
        "InferenceServer": Self.object(
            ["name": Self.string, "version": Self.string, "extensions": Self.array(of: Self.string)],
            required: ["name", "version", "extensions"]
        ),
        "InferenceHealth": Self.object(
            ["live": Self.boolean, "ready": Self.boolean, "name": Self.string],
            required: ["live"]
        ),
        "InferenceIndex": Self.array(
            of: Self.object(
                [
                    "name": Self.string, "version": Self.string, "state": Self.words(["READY", "UNAVAILABLE"]),
                    "reason": Self.string,
                ],
                required: ["name", "version", "state", "reason"]
            )
        ),
        "InferenceModel": Self.object(
            [
                "name": Self.string, "versions": Self.array(of: Self.string), "platform": Self.string,
                "inputs": Self.array(of: Self.tensorDescription), "outputs": Self.array(of: Self.tensorDescription),
            ],
            required: ["name", "versions", "platform", "inputs", "outputs"]
        ),
        "InferRequest": Self.object(
            [
                "id": Self.string,
                "model_name": ["type": "string", "description": "As in the path, if at all."],
                "parameters": Self.object(
                    [
                        "binary_data_output": Self.boolean,
                        "priority": [
                            "type": "integer", "minimum": 0,
                            "description": "Above 1, the request gives way to others; 0 is the default.",
                        ],
                        "timeout": [
                            "type": "integer", "minimum": 0, "maximum": .integer(InferCall.maximumMicroseconds),
                            "description": "In microseconds; 0 is the default.",
                        ],
                    ],
                    closed: true
                ),
                "inputs": Self.tensors(Self.inputTensor),
                "outputs": Self.tensors(
                    Self.object(
                        ["name": Self.string, "parameters": Self.object(["binary_data": Self.boolean], closed: true)],
                        required: ["name"],
                        closed: true
                    )
                ),
            ],
            required: ["inputs"],
            closed: true
        ),
        "InferAnswer": Self.object(
            [
                "model_name": Self.string, "model_version": Self.string, "id": Self.string,
                "outputs": Self.array(of: Self.outputTensor),
            ],
            required: ["model_name", "model_version", "outputs"]
        ),
        "GenerateRequest": Self.object(
            [
                "id": Self.string, "text_input": Self.string,
                "parameters": Self.object(
                    [
                        "stream": Self.boolean, "max_tokens": ["type": "integer", "minimum": 1],
                        "temperature": ["type": "number", "minimum": 0, "maximum": 2],
                        "top_p": ["type": "number", "minimum": 0, "maximum": 1], "seed": Self.integer,
                        "stop": ["oneOf": [Self.string, ["type": "array", "maxItems": 4, "items": Self.string]]],
                        "frequency_penalty": ["type": "number", "minimum": -2, "maximum": 2],
                        "presence_penalty": ["type": "number", "minimum": -2, "maximum": 2],
                        "exclude_input_in_output": ["const": true],
                    ],
                    closed: true
                ),
            ],
            required: ["text_input"],
            closed: true
        ),
        "GenerateAnswer": Self.object(
            [
                "id": Self.string, "model_name": Self.string, "model_version": Self.string, "text_output": Self.string,
                "finish_reason": Self.string,
            ],
            required: ["model_name", "model_version", "text_output"]
        ),
        "InferenceError": Self.object(["error": Self.string], required: ["error"]),
    ]

    private static func tensors(_ schema: JSONValue) -> JSONValue {
        ["type": "array", "maxItems": .integer(Int64(InferCall.maximumTensors)), "items": schema]
    }

    private static let datatype = Self.words(TensorDatatype.allCases.map(\.rawValue))

    private static let tensorDescription = Self.object(
        ["name": Self.string, "datatype": Self.datatype, "shape": Self.array(of: Self.integer)],
        required: ["name", "datatype", "shape"]
    )

    private static let inputTensor = Self.object(
        [
            "name": Self.string, "datatype": Self.datatype,
            "shape": [
                "type": "array", "maxItems": .integer(Int64(InferCall.maximumRank)),
                "items": ["type": "integer", "minimum": 0],
            ],
            "parameters": Self.object(["binary_data_size": ["type": "integer", "minimum": 0]], closed: true),
            "data": ["type": "array", "description": "Flat, or nested as the shape is."],
        ],
        required: ["name", "shape", "datatype"],
        closed: true
    )

    private static let outputTensor = Self.object(
        [
            "name": Self.string, "datatype": Self.datatype, "shape": Self.array(of: Self.integer),
            "parameters": Self.object(["binary_data_size": Self.integer]),
            "data": ["type": "array", "description": "Flat; `null` is not a number."],
        ],
        required: ["name", "datatype", "shape"]
    )
}
