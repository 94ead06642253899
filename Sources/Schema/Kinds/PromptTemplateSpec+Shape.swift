extension Shape {
    static let promptTemplate = Shape.object(
        .field(
            "variables",
            .map(keys: TextRule(format: .identifier), values: .variable),
            default: [:],
            "What the messages are filled in with."
        ),
        .required("messages", .list(.message, atLeast: 1), "The conversation, as Mustache templates in text mode."),
        .optional(
            "examples",
            .either([.exampleDataset, .list(.example)]),
            "Few-shot pairs, from a dataset or inline."
        ),
        .field("parameters", .parameters, default: [:], "How the model generates."),
        .optional("output", .output, "What an answer must look like."),
        .optional("guards", .guards, "What must not pass.")
    )

    private static let variable = Shape.object(
        .field("type", .word(of: PromptTemplateSpec.VariableType.self), default: "string", "The type of its values."),
        .optional("maxLength", .integer(atLeast: 1), "The longest accepted text, in characters."),
        .optional("enum", .list(.any, atLeast: 1), "The accepted values."),
        .optional("default", .any, "The value where none is given; without it, one must be."),
        .optional("schema", .jsonSchema, "A JSON Schema that its values fit beside that; for arrays and objects.")
    )

    private static let message = Shape.object(
        .required("role", .word(of: PromptTemplateSpec.Message.Role.self), "Who speaks."),
        .required("content", .string, "Mustache in text mode.")
    )

    private static let exampleDataset = Shape.object(
        .required("dataset", .reference(.dataset), "Rows with input and output."),
        .optional("limit", .integer(1...1000), "How many to take from the beginning; without it, all."),
        .field(
            "columns",
            .object(
                .field("input", .format(.identifier), default: "input", "What is asked."),
                .field("output", .format(.identifier), default: "output", "What is answered.")
            ),
            default: [:],
            "The columns that the pairs are made of."
        )
    )

    private static let example = Shape.object(
        .required("input", .any, "What is asked."),
        .required("output", .any, "What is answered.")
    )

    private static let parameters = Shape.object(
        .optional("temperature", .number(0...10), "0 always takes the likeliest token."),
        .optional("topP", .fraction, "Sample from the likeliest tokens that together reach this probability."),
        .optional("topK", .integer(0...1_000_000), "Sample from this many of the likeliest tokens; 0 from all."),
        .optional("minP", .fraction, "Leave out tokens less likely than this share of the likeliest."),
        .optional("maxTokens", .integer(1...1_000_000), "The longest answer, in tokens."),
        .field("stop", .list(.nonEmptyString, count: 0...16), default: [], "Texts that end the answer."),
        .optional("seed", .integer(0...4_294_967_295), "Makes sampling repeatable."),
        .optional("frequencyPenalty", .number(-2...2), "Against tokens that occur often."),
        .optional("presencePenalty", .number(-2...2), "Against tokens that occur at all.")
    )

    private static let output = Shape.object(
        .optional("schema", .jsonSchema, "The JSON Schema of an answer; engines that can, are constrained to it."),
        .field(
            "onInvalid",
            .word(of: PromptTemplateSpec.Output.OnInvalid.self),
            default: "retry",
            "What happens to an answer that the schema refuses."
        ),
        .field("retries", .integer(0...10), default: 1, "How often an invalid answer is asked for again.")
    )

    private static let guards = Shape.object(
        .field("input", .list(.guardRule), default: [], "Checks of what is asked."),
        .field("output", .list(.guardRule), default: [], "Checks of what is answered.")
    )

    private static let guardRule = Shape.object(
        .optional("maxTokens", .integer(atLeast: 1), "The longest accepted text, in tokens."),
        .optional(
            "deny",
            .object(
                .required(
                    "pattern",
                    .format(.regex),
                    "A regular expression that must not occur; without looking ahead or behind and without references."
                )
            ),
            "What must not occur."
        ),
        .optional("topics", .topics, "What may be talked about."),
        .field(
            "action",
            .word(of: PromptTemplateSpec.Guard.Action.self),
            default: "refuse",
            "What happens when the check fails; redact is for deny."
        ),
        rules: [.exactlyOne(["maxTokens", "deny", "topics"])]
    )

    private static let topics = Shape.object(
        .required("allow", .list(.nonEmptyString, count: 1...1000), "Texts that are typical of what is allowed."),
        .required("model", .reference(.model), "The embedding model that tells how near a text is to these."),
        .field("minSimilarity", .number(-1...1), default: 0.3, "The least cosine with the nearest of them."),
        .optional(
            "variables",
            .list(.format(.identifier), atLeast: 1),
            "The variables that are looked at; without it, all texts that have no enum. Of input only."
        )
    )
}
