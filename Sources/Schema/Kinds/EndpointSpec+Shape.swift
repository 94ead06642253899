extension Shape {
    static let endpoint = Shape.object(
        .required("serve", .serve, "What answers."),
        .optional("chat", .chat, "How OpenAI messages become the chain's input, and its output the answer."),
        .field("replicas", .replicas, default: [:], "How many runners serve each revision."),
        .field("queue", .queue, default: [:], "How many requests may wait, and how long."),
        .optional("batching", .batching, "How requests for tensors are put together."),
        .field("rollout", .rollout, default: [:], "How a new revision takes over."),
        .field("tenants", .list(.tenantVariant), default: [], "Versions of their own for some tenants."),
        .optional("access", .access, "Who may call; without it, nobody may."),
        .field("limits", .limits, default: [:], "What one request may cost."),
        .optional("log", .log, "What is kept of requests.")
    )

    private static let chat = Shape.object(
        .optional("input", .map(.expression), "The chain's input, from the request; `$.messages[-1].content`."),
        .optional("output", .expression, "The answer's text, from the chain's output; `$.output`.")
    )

    private static let replicas = Shape.object(
        .field("min", .integer(0...1024), default: 1, "At least so many; with 0, the first request starts one."),
        .field("max", .integer(1...1024), default: 1, "At most so many."),
        .field("targetConcurrency", .integer(1...10_000), default: 4, "Requests at once that one replica should have."),
        .field("scaleUpDelay", .duration, default: "5s", "How long there must be more to do before one is added."),
        .field("scaleDownDelay", .duration, default: "60s", "How long there must be less before one is taken away.")
    )

    private static let queue = Shape.object(
        .field("limit", .integer(0...1_000_000), default: 256, "How many requests may wait."),
        .field("timeout", .duration, default: "30s", "How long one may wait.")
    )

    private static let batching = Shape.object(
        .field("maxSize", .integer(1...4096), default: 16, "The largest batch."),
        .field("maxDelay", .duration, default: "2ms", "How long the first request waits for others.")
    )

    private static let tenantVariant = Shape.object(
        .required("tenant", .reference(.tenant), "Whose version."),
        .required("serve", .serve, "What answers this tenant.")
    )

    private static let access = Shape.object(
        .field("anonymous", .boolean, default: false, "Whether everybody may call, without a key."),
        .field("tenants", .list(.reference(.tenant)), default: [], "The tenants that may call.")
    )

    private static let limits = Shape.object(
        .field("maxBodyBytes", .memory, default: "1Mi", "The largest request."),
        .field("timeout", .duration, default: "60s", "How long a request may take.")
    )

    private static let log = Shape.object(
        .field("payloads", .word(["all", "errors", "none"]), default: "all", "Whose inputs and outputs are kept."),
        .field("sample", .fraction, default: 1, "The share of requests whose payloads are kept."),
        .field("redact", .list(.word(["email", "phone", "card", "iban"])), default: [], "What is blackened first."),
        .field("retention", .duration, default: "30d", "How long they are kept."),
        .field("durability", .word(["batched", "sync"]), default: "batched", "Whether answers wait for the disk.")
    )
}
