extension Shape {
    static let rollout = Shape.object(
        .field("strategy", .word(of: EndpointSpec.Rollout.Strategy.self), default: "immediate", "How traffic moves."),
        .field("steps", .list(.rolloutStep), default: [], "What happens on the way, for the strategy canary."),
        .field("stickyBy", .word(of: EndpointSpec.Rollout.StickyBy.self), default: "session", "Who stays on one side."),
        .field("progressDeadline", .duration, default: "1h", "How long a rollout may take without progress."),
        .field("drainTimeout", .duration, default: "30s", "How long requests in flight may finish."),
        .field("keepOld", .duration, default: "10m", "How long the old revision stays warm, for blueGreen."),
        .field("onFailure", .word(of: EndpointSpec.Rollout.OnFailure.self), default: "rollback", "After a failure."),
        .field("swap", .boolean, default: false, "Whether a gap is allowed where old and new do not fit together."),
        .optional("shadow", .shadow, "What is copied, for the strategy shadow."),
        .optional("experiment", .experiment, "What is compared, for the strategy experiment.")
    )

    private static let rolloutStep = Shape.object(
        .optional("setWeight", .integer(0...100), "The share of callers on the new revision, in percent."),
        .optional("analyse", .analysis, "Goes on only with evidence."),
        .optional("pause", .pause, "Waits."),
        rules: [.exactlyOne(["setWeight", "analyse", "pause"])]
    )

    private static let analysis = Shape.object(
        .optional("evaluation", .reference(.evaluation), "The test set that the new revision must pass."),
        .optional("monitor", .reference(.monitor), "The monitor that must stay quiet about the new revision."),
        .field("minSamples", .integer(atLeast: 1), default: 1, "How many requests must have been seen."),
        .optional("for", .duration, "How long to look at least."),
        .field("onMissing", .word(["wait", "fail"]), default: "wait", "What happens while there is no evidence."),
        .field("failuresAllowed", .integer(0...1000), default: 0, "How many failures do not decide yet."),
        rules: [.exactlyOne(["evaluation", "monitor"])]
    )

    private static let pause = Shape.object(
        .optional("for", .duration, "How long; without it, until a person promotes.")
    )

    private static let shadow = Shape.object(
        .field("share", .percentage, default: "100%", "The share of requests that are copied.")
    )

    private static let experiment = Shape.object(
        .required("variants", .list(.experimentVariant, count: 1...16), "What is compared with the present version.")
    )

    private static let experimentVariant = Shape.object(
        .required("name", .format(.label), "What reports call it."),
        .required("weight", .integer(0...100), "Its share of callers, in percent."),
        .required("serve", .serve, "What answers.")
    )
}
