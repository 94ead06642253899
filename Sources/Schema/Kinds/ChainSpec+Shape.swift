extension Shape {
    static let chain = Shape.object(
        .optional(
            "input",
            .object(.required("schema", .jsonSchema, "The JSON Schema of the chain's input.")),
            "What the chain takes."
        ),
        .required("steps", .list(.named(.step), count: 1...1000), "What is done; references decide the order."),
        .optional("output", .expression, "The answer; without it, the output of the last step."),
        .optional("limits", .limits, "Where one run of the chain ends at the latest.")
    )

    private static let limits = Shape.object(
        .field(
            "maxSteps",
            .integer(1...100_000),
            default: 1000,
            "How many steps may be begun, those of other chains, retries and calls of tools among them."
        ),
        .optional("timeout", .duration, "How long it may take; without it, as long as its caller allows.")
    )

    /// The fields of a step that say what it does; each step has exactly one of them.
    package static let stepActions = [
        "prompt", "model", "retrieve", "features", "http", "program", "chain", "parallel", "ensemble", "agent", "set",
    ]

    static let step = Shape.object(
        .required("name", .format(.label), "What references call it."),
        .optional("when", .named(.condition), "The step is left out unless this holds."),
        .optional("prompt", .prompt, "Renders a template and completes it."),
        .optional("model", .reference(.model), "Asks a tensor or embedding model."),
        .optional("retrieve", .retrieve, "Finds pieces of a knowledge base."),
        .optional("features", .features, "Looks rows up by key."),
        .optional("http", .http, "Asks a server on an allowed host."),
        .optional("program", .program, "Runs a program of the team's own, kept warm, JSON lines in and out."),
        .optional("chain", .reference(.chain), "Runs another chain, whose input is `with`."),
        .optional("parallel", .parallel, "Runs steps at once; its output holds theirs by name."),
        .optional("ensemble", .ensemble, "Runs steps at once and combines their outputs into one."),
        .optional("agent", .agent, "Lets a model choose among tools until it is done."),
        .optional("set", .expression, "Shapes data: its output is this value."),
        .field("with", .map(.expression), default: [:], "The input: values and references, by name."),
        .optional("timeout", .duration, "How long the step may take, retries included."),
        .optional("retries", .retries, "How a failed step is tried again."),
        .field("onError", .onError, default: "fail", "What happens when the step fails in the end."),
        rules: [.exactlyOne(stepActions)]
    )

    static let condition = Shape.object(
        .optional("value", .expression, "What is looked at; alone it must be there and neither null nor false."),
        .optional("in", .list(.any, atLeast: 1), "Holds when the value is one of these."),
        .optional("equals", .expression, "Holds when the value equals this one."),
        .optional("not", .named(.condition), "Holds when the other does not."),
        .optional("all", .list(.named(.condition), atLeast: 1), "Holds when all of these do."),
        .optional("any", .list(.named(.condition), atLeast: 1), "Holds when one of these does."),
        rules: [.exactlyOne(["value", "not", "all", "any"]), .atMostOne(["in", "equals"])]
    )

    private static let retries = Shape.object(
        .required("attempts", .integer(1...100), "How often the step is tried again."),
        .field("backoff", .duration, default: "100ms", "The wait before the first retry, doubled before each next.")
    )

    private static let onError = Shape.either([
        .word(["fail", "skip"]),
        .object(.required("use", .expression, "Stands in for the output.")),
    ])

    private static let retrieve = Shape.object(
        .required("knowledgeBase", .reference(.knowledgeBase), "Where to look."),
        .required("query", .expression, "What to look for."),
        .field("top", .integer(1...1000), default: 3, "How many pieces to take."),
        .optional("minScore", .number(-1...1), "Leave out pieces less similar than this.")
    )

    private static let features = Shape.object(
        .required("table", .reference(.featureTable), "Where to look."),
        .required("key", .expression, "The key of the row."),
        .optional("columns", .list(.nonEmptyString, atLeast: 1), "What to take of it; without it, everything.")
    )

    private static let http = Shape.object(
        .required("url", .format(.url), "The address; its host must be allowed."),
        .field("method", .word(["GET", "POST", "PUT", "PATCH", "DELETE"]), default: "POST", "The HTTP method."),
        .field("headers", .headers, default: [:], "Headers, whose values may be secrets."),
        .field("query", .map(.expression), default: [:], "What is appended to the address, by name."),
        .optional("body", .expression, "What is sent, as JSON; without it, `with`, or a tool's arguments."),
        .field("effects", .effects, default: "write", "Whether repeating the call changes anything."),
        .field("allowPrivate", .boolean, default: false, "Whether the host may have an address of a private network.")
    )

    private static let program = Shape.object(
        .required("path", .format(.repositoryPath), "The program, or the folder that holds it, read from the commit."),
        .field("command", .list(.nonEmptyString), default: [], "How to start it, in that folder."),
        .field("memory", .memory, default: "256Mi", "The most memory it may use."),
        .field("cpu", .number(0.01...1024), default: 1, "The most cores it may use."),
        .field("timeout", .duration, default: "10s", "How long one call may take."),
        .field("effects", .effects, default: "write", "Whether repeating the call changes anything.")
    )

    private static let parallel = Shape.object(
        .required("steps", .list(.named(.step), count: 1...100), "The steps; they see what the outer step sees.")
    )

    private static let ensemble = Shape.object(
        .required("steps", .list(.named(.step), count: 1...100), "The steps; they see what the outer step sees."),
        .field(
            "combine",
            .word(of: ChainSpec.Ensemble.Combination.self),
            default: "majority",
            "How outputs become one."
        )
    )

    private static let agent = Shape.object(
        .required("model", .reference(.model), "The model that chooses."),
        .optional("template", .reference(.promptTemplate), "The prompt that it begins with."),
        .required("tools", .list(.tool, count: 1...100), "What it may choose from."),
        .field("maxTurns", .integer(1...100), default: 8, "How often it may choose."),
        .field(
            "protocol",
            .word(of: ChainSpec.Agent.CallProtocol.self),
            default: "auto",
            "How the model says which tool it wants: as its chat template spells it, or as lines of text."
        )
    )

    private static let tool = Shape.object(
        .required("name", .format(.identifier), "What the model calls it."),
        .required("description", .nonEmptyString, "What the model reads about it."),
        .optional("input", .jsonSchema, "The JSON Schema of its arguments."),
        .optional("chain", .reference(.chain), "Runs a chain."),
        .optional("retrieve", .toolRetrieve, "Finds pieces of a knowledge base."),
        .optional("features", .toolFeatures, "Looks a row up by its key."),
        .optional("http", .http, "Asks a server on an allowed host."),
        .optional("program", .program, "Runs a program of the team's own."),
        .field("effects", .effects, default: "write", "Whether repeating the call changes anything."),
        rules: [.exactlyOne(["chain", "retrieve", "features", "http", "program"])]
    )

    private static let toolFeatures = Shape.object(
        .required("table", .reference(.featureTable), "Where to look."),
        .optional("columns", .list(.nonEmptyString, atLeast: 1), "What to take of it; without it, everything.")
    )

    private static let toolRetrieve = Shape.object(
        .required("knowledgeBase", .reference(.knowledgeBase), "Where to look."),
        .field("top", .integer(1...1000), default: 3, "How many pieces to take.")
    )
}
