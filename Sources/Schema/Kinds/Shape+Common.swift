// Shapes that several kinds share.
extension Shape {
    /// A share from 0 to 1.
    static let fraction = Shape.number(0...1)
    /// Whether repeating a call changes anything.
    static let effects = Shape.word(["read", "write"])

    /// Where bytes come from; `format` says whether a folder will do.
    static func source(_ format: TextFormat) -> Shape {
        .object(
            .required(
                "uri",
                .format(format),
                "A repository path, or file:///…, https://…, s3://…, hf://owner/repo/file."
            ),
            .optional("sha256", .format(.sha256), "Required unless the file is in the repository; verified before use.")
        )
    }

    /// Headers of an HTTP request, whose values may be secrets.
    static let headers = Shape.map(.either([.string, .secret]))

    /// `serve` of an endpoint and of its variants.
    static let serve = Shape.object(
        .optional("chain", .reference(.chain), "The chain that answers."),
        .optional("model", .reference(.model), "The bare model that answers."),
        rules: [.exactlyOne(["chain", "model"])]
    )

    /// A template, a model and perhaps an adapter.
    static let prompt = Shape.object(
        .required("template", .reference(.promptTemplate), "The prompt."),
        .required("model", .reference(.model), "The model that completes it."),
        .optional("adapter", .format(.adapter), "One of the model's adapters.")
    )
}

extension Shape {
    /// The fields of a `.secret`.
    package static let secretSource = ObjectShape(
        [
            .optional("fromEnv", .format(.environmentVariable), "An environment variable of the controller."),
            .optional("fromFile", .format(.fileName), "A file in the controller's secrets directory."),
        ],
        rules: [.exactlyOne(["fromEnv", "fromFile"])]
    )
}
