extension Shape {
    static let monitor = Shape.object(
        .required("endpoint", .reference(.endpoint), "What is watched."),
        .required("checks", .list(.check, count: 1...1000), "What must stay true."),
        .field("onBreach", .breachActions, default: [:], "What happens when any check fails."),
        .field("cooldown", .duration, default: "1h", "How long one breach speaks for those that follow."),
        .field("maxRollbacks", .maxRollbacks, default: [:], "When rolling back stops and a person must look.")
    )

    private static let check = Shape.object(
        .optional("name", .format(.label), "What reports call it."),
        .optional("slo", .slo, "A service level objective, judged by burn rates over several windows."),
        .optional("drift", .drift, "Whether data still looks like the reference."),
        .optional("skew", .skew, "Whether data looks like what the model was tested on."),
        .optional("quality", .quality, "Whether answers are still good."),
        .optional("outliers", .outliers, "How many inputs are unlike all others."),
        .optional("budget", .budget, "How much may be used."),
        .optional("onBreach", .breachActions, "What else happens when this check fails."),
        rules: [.exactlyOne(["slo", "drift", "skew", "quality", "outliers", "budget"])]
    )

    private static let breachActions = Shape.object(
        .field("alert", .list(.reference(.receiver)), default: [], "Who is told."),
        .field("rollback", .boolean, default: false, "Whether traffic goes back to the promoted revision."),
        .field("trigger", .list(.reference(.trigger)), default: [], "What is fired, with the evidence.")
    )

    private static let maxRollbacks = Shape.object(
        .field("count", .integer(0...1000), default: 1, "How many."),
        .field("per", .duration, default: "24h", "In how long.")
    )

    private static let slo = Shape.object(
        .required("objective", .percentage, "The share of good requests."),
        .required("good", .goodRequest, "What makes a request good."),
        .field("window", .duration, default: "30d", "How far back the objective looks.")
    )

    private static let goodRequest = Shape.object(
        .optional("status", .word(["ok"]), "The request succeeded."),
        .optional("latencyUnder", .duration, "The answer took less."),
        .optional("firstTokenUnder", .duration, "The first token took less."),
        rules: [.atLeastOne(["status", "latencyUnder", "firstTokenUnder"])]
    )

    private static let driftMethod = Shape.word([
        "mmd", "lsdd", "ks", "cvm", "js", "psi", "chi2", "wasserstein", "hellinger", "tvd", "anderson",
    ])

    private static let drift = Shape.object(
        .required("of", .format(.signal), "What is looked at."),
        .required("method", .driftMethod, "The test."),
        .optional("embed", .reference(.model), "The model that turns text into vectors first."),
        .required("reference", .driftReference, "What normal is."),
        .field("window", .integer(10...1_000_000), default: 500, "How many requests are tested together."),
        .field("falseAlarms", .format(.ratio), default: "1/1000", "How often a window may alarm without drift.")
    )

    private static let driftReference = Shape.object(
        .optional("dataset", .reference(.dataset), "Rows that are normal."),
        .optional("window", .duration, "Past traffic that was normal."),
        rules: [.exactlyOne(["dataset", "window"])]
    )

    private static let skew = Shape.object(
        .required("of", .format(.signal), "What is looked at."),
        .required("against", .skewReference, "What the model was tested on."),
        .required("method", .driftMethod, "The test."),
        .field("window", .integer(10...1_000_000), default: 500, "How many requests are tested together."),
        .field("falseAlarms", .format(.ratio), default: "1/1000", "How often a window may alarm without skew.")
    )

    private static let skewReference = Shape.object(
        .optional("evaluation", .reference(.evaluation), "The inputs of an evaluation."),
        .optional("dataset", .reference(.dataset), "Rows of a dataset."),
        rules: [.exactlyOne(["evaluation", "dataset"])]
    )

    private static let quality = Shape.object(
        .optional("from", .word(["feedback"]), "Judged by what people say."),
        .optional("evaluation", .reference(.evaluation), "Judged by the assertions of an evaluation."),
        .required("min", .fraction, "The lowest accepted score."),
        .field("confidence", .number(0.5...0.999_999), default: 0.95, "How sure a breach must be."),
        .field("minSamples", .integer(atLeast: 1), default: 100, "How many requests must have been seen."),
        .field("sample", .percentage, default: "100%", "The share of requests that are judged."),
        .optional("every", .duration, "How often; without it, as requests come."),
        rules: [.exactlyOne(["from", "evaluation"])]
    )

    private static let outliers = Shape.object(
        .required("of", .format(.signal), "What is looked at."),
        .field("method", .word(["mahalanobis", "knn", "isolation-forest"]), default: "mahalanobis", "The measure."),
        .optional("embed", .reference(.model), "The model that turns text into vectors first."),
        .required("rate", .percentage, "The highest accepted share."),
        .field("window", .integer(10...1_000_000), default: 500, "How many requests are counted together.")
    )

    private static let budget = Shape.object(
        .optional("tokens", .count, "How many tokens."),
        .optional("requests", .count, "How many requests."),
        .required("per", .duration, "In how long."),
        rules: [.atLeastOne(["tokens", "requests"])]
    )
}
