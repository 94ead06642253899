extension Shape {
    static let evaluation = Shape.object(
        .required("target", .target, "What is tested."),
        .required("dataset", .reference(.dataset), "The rows to test it on."),
        .required("assert", .list(.assertion, count: 1...1000), "What must hold for each row."),
        .field("pass", .pass, default: [:], "When the whole is good enough."),
        .field("gate", .list(.word(["plan", "promotion"])), default: [], "What waits until it passed.")
    )

    private static let target = Shape.object(
        .optional("prompt", .prompt, "A template and a model."),
        .optional("chain", .reference(.chain), "A chain."),
        .optional("endpoint", .reference(.endpoint), "An endpoint."),
        .optional("model", .reference(.model), "A model."),
        rules: [.exactlyOne(["prompt", "chain", "endpoint", "model"])]
    )

    private static let assertion = Shape.object(
        .required(
            "type",
            .word([
                "equals", "contains", "not-contains", "regex", "json-equals", "json-schema", "accuracy", "f1", "bleu",
                "rouge-1", "rouge-2", "rouge-l", "similarity", "judge", "latency", "tokens",
            ]),
            "The measure."
        ),
        .optional("of", .format(.query), "The part of the answer that is looked at; without it, all."),
        .optional("path", .format(.query), "The part of answer and expected value that are compared."),
        .optional("value", .any, "What to compare with; without it, the row's expected value."),
        .optional("pattern", .format(.regex), "The regular expression, for regex."),
        .optional("schema", .jsonSchema, "The schema, for json-schema; without it, the template's."),
        .optional("model", .reference(.model), "The model that embeds or judges."),
        .optional("rubric", .nonEmptyString, "What a judge reads."),
        .optional("min", .anyLimit, "The lowest accepted score of a row."),
        .optional("max", .anyLimit, "The highest accepted value of a row."),
        .field("weight", .number(0...1_000_000), default: 1, "How much it counts."),
        .optional("under", .duration, "The longest accepted time, for latency.")
    )

    private static let anyLimit = Shape.number(-1e15...1e15)

    private static let pass = Shape.object(
        .optional(
            "score",
            .object(.required("min", .fraction, "The lowest accepted weighted score.")),
            "The score over all rows."
        ),
        .optional(
            "againstPromoted",
            .object(
                .required("notWorseThan", .fraction, "How much lower than the promoted revision's score is accepted."),
                .field("confidence", .number(0.5...0.999_999), default: 0.95, "How sure that must be.")
            ),
            "The score compared with what serves now."
        )
    )
}
