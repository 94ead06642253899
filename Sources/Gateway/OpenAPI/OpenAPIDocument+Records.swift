internal import Schema

extension OpenAPIDocument {
    /// What is written down of requests.
    static let recordPaths: [String: JSONValue] = [
        "/v1/feedback": [
            "post": Self.operation(
                "createFeedback",
                "Says what an answer was worth.",
                body: Self.object(
                    Self.feedbackMembers.merging(["request_id": Self.string]) { $1 },
                    required: ["request_id"],
                    closed: true
                ),
                answers: [
                    "200": Self.answer(
                        "The feedback is stored.",
                        [
                            "application/json": Self.object(
                                ["object": ["const": "feedback"], "id": Self.integer, "request_id": Self.string],
                                required: ["object", "id", "request_id"]
                            )
                        ]
                    ),
                    "400": Self.answer("It says nothing.", ["application/json": Self.reference("Error")]),
                    "404": Self.answer(
                        "There is no such request, or it was somebody else's.",
                        ["application/json": Self.reference("Error")]
                    ),
                    "413": Self.answer("The body is too large.", ["application/json": Self.reference("Error")]),
                ]
            )
        ],
        "/api/v1/requests": [
            "get": Self.operation(
                "getRequests",
                "Records of requests, newest first; with `after`, oldest first.",
                parameters: Self.conditions,
                answers: Self.problems(
                    "200",
                    Self.answer(
                        "A page of records, or all of them, one on each line.",
                        ["application/json": Self.reference("RequestPage"), "application/jsonl": Self.string]
                    )
                )
            )
        ],
        "/api/v1/requests/{id}": [
            "get": Self.operation(
                "getRequest",
                "The newest record with an id.",
                parameters: [Self.requestID],
                answers: Self.problems(
                    "200",
                    Self.answer("A record.", ["application/json": Self.reference("RequestRecord")])
                )
            )
        ],
        "/api/v1/requests/{id}/feedback": [
            "get": Self.operation(
                "getRequestFeedback",
                "What was said of a request's answer.",
                parameters: [Self.requestID, Self.limit],
                answers: Self.problems("200", Self.feedbackList)
            ),
            "post": Self.operation(
                "addRequestFeedback",
                "Says what an answer was worth.",
                parameters: [Self.requestID],
                body: Self.object(Self.feedbackMembers, closed: true),
                answers: Self.problems(
                    "200",
                    Self.answer("The feedback.", ["application/json": Self.reference("Feedback")])
                )
            ),
        ],
        "/api/v1/requests/{id}/replay": [
            "post": Self.operation(
                "replayRequest",
                "Answers a recorded request again; writes are taken from its record.",
                parameters: [Self.requestID],
                body: Self.object(["revision": Self.string], closed: true),
                answers: Self.problems(
                    "200",
                    Self.answer(
                        "The record of the repeated request.",
                        ["application/json": Self.reference("RequestRecord")]
                    )
                )
            )
        ],
        "/api/v1/feedback": [
            "get": Self.operation(
                "getFeedback",
                "What was said of answers, oldest first.",
                parameters: [Self.limit],
                answers: Self.problems("200", Self.feedbackList)
            )
        ],
        "/api/v1/feedback/summary": [
            "get": Self.operation(
                "getFeedbackSummary",
                "What was said of answers, by variant and revision.",
                parameters: [Self.parameter("since", in: "query", Self.integer, "Milliseconds since 1970.")],
                answers: Self.problems(
                    "200",
                    Self.answer("Summaries.", ["application/json": Self.array(of: ["type": "object"])])
                )
            )
        ],
    ]

    static let recordSchemas: [String: JSONValue] = [
        "RequestPage": Self.object(
            [
                "records": Self.array(of: Self.reference("RequestRecord")), "next": Self.integer,
                "newest": Self.integer,
            ],
            required: ["records", "newest"]
        ),
        "RequestRecord": Self.object(
            [
                "id": Self.string, "startedAt": Self.integer, "microseconds": Self.integer,
                "operation": Self.words(["chat", "completion", "embeddings", "chain", "tensors"]),
                "variant": Self.string, "tenant": Self.string, "revision": Self.string, "commit": Self.string,
                "isRecording": Self.boolean, "replayOf": Self.string, "status": Self.string,
                "errorMessage": Self.string, "usage": ["type": "object"], "input": [:], "parameters": [:],
                "output": [:], "steps": Self.array(of: Self.reference("StepRecord")), "traceParent": Self.string,
            ],
            required: [
                "id", "startedAt", "microseconds", "operation", "variant", "revision", "commit", "isRecording",
                "status", "usage", "steps",
            ]
        ),
        "StepRecord": Self.object(
            [
                "name": Self.string, "type": Self.string, "startMicroseconds": Self.integer,
                "microseconds": Self.integer, "status": Self.words(["ok", "failed", "skipped", "cancelled"]),
                "attempts": Self.integer, "input": [:], "prompt": [:], "output": [:], "usage": ["type": "object"],
                "model": ["type": "object"], "template": ["type": "object"],
                "passages": Self.array(of: ["type": "object"]), "guards": Self.array(of: ["type": "object"]),
                "errorCode": Self.string, "errorMessage": Self.string, "effects": Self.words(["read", "write"]),
                "children": Self.array(of: Self.reference("StepRecord")),
            ],
            required: [
                "name", "type", "startMicroseconds", "microseconds", "status", "attempts", "passages", "guards",
                "children",
            ]
        ),
        "Feedback": Self.object(
            Self.feedbackMembers.merging([
                "sequence": Self.integer, "requestID": Self.string, "at": Self.integer, "by": Self.string,
            ]) { $1 },
            required: ["sequence", "requestID", "at"]
        ),
    ]

    private static let feedbackMembers: [String: JSONValue] = [
        "score": ["type": "number", "description": "Larger is better, by custom from 0 to 1."],
        "label": Self.string, "comment": Self.string,
        "correction": ["description": "What the answer should have been."],
    ]

    private static let feedbackList = Self.answer(
        "Feedback, oldest first.",
        ["application/json": Self.array(of: Self.reference("Feedback"))]
    )

    private static let requestID = Self.parameter("id", in: "path", Self.string, "The request's `x-request-id`.")

    private static let conditions: [JSONValue] = [
        Self.parameter("since", in: "query", Self.integer, "Requests that came then or later: ms since 1970."),
        Self.parameter("until", in: "query", Self.integer, "Requests that came before: ms since 1970."),
        Self.parameter("id", in: "query", Self.string, "All records with this id."),
        Self.parameter("namespace", in: "query", Self.string, "Only of this namespace."),
        Self.parameter("endpoint", in: "query", Self.string, "Only of endpoints with this name."),
        Self.parameter("tenant", in: "query", Self.string, "Only of this tenant."),
        Self.parameter("revision", in: "query", Self.string, "Only of this revision, by its first digits."),
        Self.parameter("status", in: "query", Self.string, "`ok`, `cancelled`, a code, or `error` for all codes."),
        Self.parameter("text", in: "query", Self.string, "Words in input or output; `word*` for beginnings."),
        Self.parameter("before", in: "query", Self.integer, "What `next` of the page before said."),
        Self.parameter("after", in: "query", Self.integer, "Only records behind this number, oldest first."),
        Self.limit,
        Self.parameter("format", in: "query", Self.words(["json", "jsonl"]), "A page, or everything line by line."),
    ]
}
