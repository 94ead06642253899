internal import Schema

extension OpenAPIDocument {
    static let adminPaths: [String: JSONValue] = Dictionary(
        uniqueKeysWithValues: (Self.views + Self.actions).map { ("/api/v1/\($0.path)", $0.item) }
    )

    static let limit = Self.parameter(
        "limit",
        in: "query",
        ["type": "integer", "minimum": 1, "maximum": 10_000],
        "The most entries to give, the newest ones."
    )

    private static let views: [(path: String, item: JSONValue)] = [
        Self.view("status", "The whole controller at a glance.", Self.reference("Status")),
        Self.view(
            "resources",
            "Every resource, without its spec.",
            Self.array(of: Self.reference("Resource")),
            [
                Self.parameter("kind", in: "query", Self.string, "`Endpoint`, `endpoint` or `endpoints`."),
                Self.parameter("namespace", in: "query", Self.string, "Only of this namespace."),
                Self.parameter(
                    "label",
                    in: "query",
                    Self.string,
                    "`team=search,tier`; a name alone asks for any value."
                ),
                Self.parameter(
                    "limit",
                    in: "query",
                    ["type": "integer", "minimum": 1, "maximum": 10_000],
                    "At most this many in one page, all by default; with `label` a page may have fewer."
                ),
                Self.parameter(
                    "continue",
                    in: "query",
                    Self.string,
                    "What the header `x-martlet-continue` of the page before said; it is absent on the last page."
                ),
            ]
        ),
        Self.view(
            "resources/{kind}/{namespace}/{name}",
            "One resource with its spec.",
            Self.reference("Resource"),
            ["kind", "namespace", "name"].map { Self.parameter($0, in: "path", Self.string, "The resource's \($0).") }
        ),
        Self.view(
            "manifests",
            "The resources of the commit in force as manifests, defaults left out.",
            Self.array(
                of: Self.object(
                    [
                        "apiVersion": Self.string, "kind": Self.string, "metadata": ["type": "object"],
                        "spec": ["type": "object"],
                    ],
                    required: ["apiVersion", "kind", "metadata", "spec"]
                )
            ),
            [
                Self.parameter("kind", in: "query", Self.string, "`Endpoint`, `endpoint` or `endpoints`."),
                Self.parameter("namespace", in: "query", Self.string, "Only of this namespace."),
            ]
        ),
        Self.view("plan", "What the controller would do now.", Self.reference("Plan")),
        Self.events,
        Self.view(
            "history",
            "What was promoted, and which commits were read.",
            Self.object([
                "promotions": Self.array(of: ["type": "object"]), "commits": Self.array(of: ["type": "object"]),
            ]),
            [Self.parameter("variant", in: "query", Self.string, "Only of `namespace/endpoint[@tenant]`."), Self.limit]
        ),
        Self.view("holds", "Every hold that stands.", Self.array(of: Self.reference("Hold"))),
        Self.view("rollouts", "Every variant with a rollout under way.", Self.array(of: ["type": "object"])),
        Self.view("audit", "The audit log, newest first.", Self.array(of: ["type": "object"]), [Self.limit]),
        Self.view(
            "audit/verify",
            "Recomputes the audit log's chain.",
            Self.object(
                ["entries": Self.integer, "brokenAt": Self.integer, "message": Self.string],
                required: ["entries", "message"]
            )
        ),
        Self.view("engines", "The engines that were found.", Self.array(of: ["type": "object"])),
        Self.view("openapi.json", "This document.", ["type": "object"]),
    ]

    private static let events: (path: String, item: JSONValue) = (
        "events",
        [
            "get": Self.operation(
                "getEvents",
                "What happened, at once or, followed, as it happens.",
                parameters: [
                    Self.parameter("after", in: "query", Self.integer, "Only events with a larger sequence number."),
                    Self.parameter("resource", in: "query", Self.string, "Only of `kind/namespace/name`."),
                    Self.limit,
                    Self.parameter(
                        "follow",
                        in: "query",
                        Self.boolean,
                        "Stored events first, then new ones, as a stream."
                    ),
                ],
                answers: Self.problems(
                    "200",
                    Self.answer(
                        "Events in ascending order.",
                        ["application/json": Self.array(of: Self.reference("Event")), "text/event-stream": Self.string]
                    )
                )
            )
        ]
    )

    private static let actions: [(path: String, item: JSONValue)] = [
        Self.action(
            "sync",
            "Reads the source again at once and applies its newest commit, or another one.",
            Self.object(["source": ["type": ["string", "null"]], "revision": ["type": ["string", "null"]]]),
            answer: Self.reference("Commit")
        ),
        Self.action(
            "confirm",
            "Lets a commit remove what the prune guard has stopped.",
            Self.object(["commit": Self.string], required: ["commit"]),
            answer: Self.reference("Confirmation")
        ),
        Self.action("suspend", "Takes a resource, or everything, out of the loop's hands.", Self.suspension),
        Self.action("resume", "Gives a resource, or everything, back to the loop.", Self.suspension),
        Self.action(
            "rollback",
            "Holds the desired revision and goes back to another.",
            Self.object(["variant": Self.string, "to": Self.string], required: ["variant", "reason"]),
            answer: Self.reference("Hold")
        ),
        Self.action("retry", "Lifts the hold on the desired revision and tries it again.", Self.variant),
        Self.action("release", "Lifts every hold of the variant.", Self.variant),
    ]

    private static let suspension = Self.object(["resource": ["type": ["string", "null"]]])
    private static let variant = Self.object(["variant": Self.string], required: ["variant"])

    private static func view(
        _ path: String,
        _ summary: String,
        _ schema: JSONValue,
        _ parameters: [JSONValue] = []
    ) -> (path: String, item: JSONValue) {
        let operation = Self.operation(
            "get" + Self.camelCase(path),
            summary,
            parameters: parameters,
            answers: Self.problems("200", Self.answer(summary, ["application/json": schema]))
        )
        return (path, ["get": operation])
    }

    /// An action's body takes a `reason` beside its own members; without an answer it is 204.
    private static func action(
        _ path: String,
        _ summary: String,
        _ body: JSONValue,
        answer: JSONValue? = nil
    ) -> (path: String, item: JSONValue) {
        var body = body.object ?? [:]
        body["properties"] = .object((body["properties"]?.object ?? [:]).merging(["reason": Self.string]) { $1 })
        body["additionalProperties"] = false
        let actor: JSONValue = [
            "name": "x-martlet-actor", "in": "header", "required": false, "schema": Self.string,
            "description": "Who asks; without it, the socket's owner.",
        ]
        let success = Self.answer(summary, answer.map { ["application/json": $0] } ?? [:])
        let operation = Self.operation(
            path,
            summary,
            parameters: [actor],
            body: .object(body),
            answers: Self.problems(answer == nil ? "204" : "200", success)
        )
        return (path, ["post": operation])
    }

    static func problems(_ status: String, _ success: JSONValue) -> [String: JSONValue] {
        let problem = Self.answer("What is wrong.", ["application/problem+json": Self.reference("Problem")])
        return [status: success, "default": problem]
    }

    /// `audit/verify` becomes `AuditVerify`; parameters are left out.
    private static func camelCase(_ path: String) -> String {
        path.split(whereSeparator: { "/.".contains($0) }).filter { !$0.hasPrefix("{") }
            .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
            + (path.contains("{") ? "One" : "")
    }
}
