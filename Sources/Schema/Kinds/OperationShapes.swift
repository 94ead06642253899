// Kinds about work that no caller waits for, and about other places.
extension Shape {
    static let batchJob = Shape.object(
        .required(
            "input",
            .object(.required("dataset", .reference(.dataset), "The rows.")),
            "What goes in."
        ),
        .required("endpoint", .reference(.endpoint), "What answers."),
        .required("output", .batchOutput, "Where the answers go."),
        .field("map", .map(.expression), default: [:], "The endpoint's input, from each row; without it, the row."),
        .optional("schedule", .format(.cron), "When, as five cron fields; without it, once for each change."),
        .field("timeZone", .nonEmptyString, default: "UTC", "The time zone of the schedule."),
        .field("concurrency", .integer(1...10_000), default: 1, "Rows at once."),
        .field("resumable", .boolean, default: true, "Whether a run goes on where the last one stopped."),
        .field("failuresAllowed", .percentage, default: "0%", "The share of rows that may fail.")
    )

    private static let batchOutput = Shape.object(
        .required("uri", .nonEmptyString, "file:///… or s3://…; `{date}` stands for the day."),
        .field("format", .word(of: DatasetSpec.Format.self), default: "jsonl", "How rows are written.")
    )

    static let streamJob = Shape.object(
        .required("input", .streamInput, "The stream that is read."),
        .required("endpoint", .reference(.endpoint), "What answers."),
        .required("output", .streamOutput, "The stream that is written."),
        .field("map", .map(.expression), default: [:], "The endpoint's input, from each entry; without it, the entry."),
        .field("concurrency", .integer(1...10_000), default: 1, "Entries at once.")
    )

    private static let streamInput = Shape.object(
        .required("url", .redisAddress, "redis://host:port, or a secret that holds it."),
        .required("stream", .nonEmptyString, "The stream."),
        .field("group", .nonEmptyString, default: "martlet", "The consumer group."),
        .optional("password", .secret, "The server's password.")
    )

    private static let streamOutput = Shape.object(
        .optional("url", .redisAddress, "redis://host:port, or a secret; without it, the input's."),
        .required("stream", .nonEmptyString, "The stream."),
        .optional("maxLength", .integer(atLeast: 1), "How many entries the stream keeps."),
        .optional("password", .secret, "The server's password.")
    )

    private static let redisAddress = Shape.either([.nonEmptyString, .secret])

    static let cluster = Shape.object(
        .required("protocol", .word(["openai", "inference"]), "What the cluster speaks."),
        .required("url", .format(.url), "Its address."),
        .optional("apiKey", .secret, "The key that it asks for."),
        .field("timeout", .duration, default: "60s", "How long one request may take."),
        .field("endpoints", .list(.reference(.endpoint)), default: [], "The endpoints that it serves."),
        .field("capacity", .capacity, default: [:], "What it can do.")
    )

    private static let capacity = Shape.object(
        .optional("concurrency", .integer(atLeast: 1), "Requests at once."),
        .optional("memory", .memory, "Memory for models.")
    )

    static let overlay = Shape.object(
        .required(
            "include",
            .list(.format(.includedFolder), count: 1...100),
            "Folders of the repository, from the overlay's own, or with `/` in front from the root."
        ),
        .optional("namespace", .format(.label), "The namespace of what is included without one of its own."),
        .field("labels", .map(.string), default: [:], "Labels for everything included."),
        .field("patches", .list(.patch), default: [], "What differs here.")
    )

    private static let patch = Shape.object(
        .required("target", .patchTarget, "The resource that is patched."),
        .required("patch", .map(.any), "An RFC 7386 merge patch of its manifest.")
    )

    private static let patchTarget = Shape.object(
        .required("kind", .word(of: Kind.self), "Its kind."),
        .optional("namespace", .format(.label), "Its namespace; without one, `spec.namespace`, or the default."),
        .required("name", .format(.label), "Its name.")
    )
}
