extension Shape {
    static let model = Shape.object(
        .required(
            "engine",
            .format(.engine),
            "What runs the model: openai, inference, replay, or an installed engine."
        ),
        .optional("source", .source(.artifact), "Where the weights come from."),
        .optional("upstream", .upstream, "The server that answers, for the engines openai and inference."),
        .optional(
            "upstreams",
            .list(.weightedUpstream),
            "Several servers in its place, each of which can answer; what one fails at, the next one tries."
        ),
        .field(
            "balance",
            .word(of: ModelSpec.Balance.self),
            default: "order",
            "Which of the upstreams is asked first."
        ),
        .optional("version", .string, "Free text, shown to people; the revision is what counts."),
        .field("load", .word(of: ModelSpec.LoadPolicy.self), default: "eager", "When the weights are loaded."),
        .field("replicas", .integer(0...1024), default: 1, "Instances, shared by all that use this model."),
        .field("resources", .resources, default: [:], "What one instance may use."),
        .field("adapters", .list(.adapter), default: [], "Low-rank adapters that prompts can ask for by name."),
        .field("options", .map(.any), default: [:], "Options that the engine declares and checks."),
        .field("warmUp", .list(.warmUp), default: [], "Requests that must succeed before an instance is ready."),
        .field("card", .card, default: [:], "What people should know about the model.")
    )

    private static let upstream = Shape.object(ObjectShape(upstreamFields))

    private static let weightedUpstream = Shape.object(
        ObjectShape(
            upstreamFields + [
                .field(
                    "weight",
                    .integer(1...1000),
                    default: 1,
                    "Its share of the requests, beside the others' weights."
                )
            ]
        )
    )

    private static let upstreamFields: [Field] = [
        .required("url", .format(.url), "The address of the server, up to and with its API's base path."),
        .optional("model", .nonEmptyString, "The model's name there; without one, the name of this resource."),
        .optional("apiKey", .secret, "The key that the server asks for."),
        .field("timeout", .duration, default: "60s", "How long one request may take."),
        .optional(
            "firstByteTimeout",
            .duration,
            "How long a streamed answer may take to begin; without it, as long as the request. Of the engine openai."
        ),
        .field("retries", .integer(0...10), default: 2, "How often a failed request is tried again."),
    ]

    private static let resources = Shape.object(
        .optional("memory", .memory, "Memory of one instance; without it, the probe measures."),
        .field(
            "threads",
            .integer(1...1024),
            default: 1,
            "Threads of one instance; for engines that give each instance its own."
        ),
        .optional("accelerator", .nonEmptyString, "The accelerator that the engine shall use.")
    )

    private static let adapter = Shape.object(
        .required("name", .format(.label), "What prompts call it."),
        .required("source", .source(.artifactFile), "Where its weights come from."),
        .field("scale", .number(-100...100), default: 1, "How strongly it acts.")
    )

    private static let warmUp = Shape.object(
        .required("prompt", .nonEmptyString, "The text to complete."),
        .field("maxTokens", .integer(1...4096), default: 1, "How many tokens to generate.")
    )

    private static let card = Shape.object(
        .optional("owner", .string, "Who answers for it."),
        .optional("license", .string, "An SPDX identifier."),
        .optional("risk", .word(["minimal", "limited", "high"]), "The risk class that policies ask about."),
        .optional("description", .string, "What it is."),
        .optional("intendedUse", .string, "What it is for."),
        .optional("limitations", .string, "What it is not good at."),
        .optional("trainingData", .string, "What it learnt from."),
        .optional("languages", .list(.nonEmptyString), "The languages that it was made for."),
        .optional("tags", .list(.nonEmptyString), "Words to find it by."),
        .optional("homepage", .format(.url), "Where to read more.")
    )
}
