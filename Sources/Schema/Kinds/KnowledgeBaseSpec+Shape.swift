extension Shape {
    static let knowledgeBase = Shape.object(
        .required("documents", .list(.documents, count: 1...1000), "What is known."),
        .field("chunking", .chunking, default: [:], "How documents are cut."),
        .optional(
            "embedding",
            .object(.required("model", .reference(.model), "The model that embeds pieces and queries.")),
            "How meaning becomes vectors; an index by words needs none."
        ),
        .field("index", .index, default: [:], "How pieces are found.")
    )

    private static let documents = Shape.object(
        .optional("source", .source(.artifact), "A file, or a folder of the repository."),
        .optional("dataset", .reference(.dataset), "The rows of a dataset."),
        .field("include", .list(.format(.glob)), default: [], "Only these files of the folder; without it, all."),
        .field("exclude", .list(.format(.glob)), default: [], "All but these files of the folder."),
        .optional("format", .word(of: KnowledgeBaseSpec.Format.self), "Without it, told from the file's ending."),
        rules: [.exactlyOne(["source", "dataset"])]
    )

    private static let chunking = Shape.object(
        .field("by", .word(of: KnowledgeBaseSpec.Chunking.Unit.self), default: "tokens", "What is counted."),
        .field("size", .integer(1...100_000), default: 256, "The largest piece."),
        .field("overlap", .integer(0...100_000), default: 32, "How much of a piece the next one repeats.")
    )

    private static let index = Shape.object(
        .field(
            "type",
            .word(of: KnowledgeBaseSpec.Index.Form.self),
            default: "lexical",
            "By words (BM25), by meaning (exact search among vectors), or by both (reciprocal rank fusion)."
        ),
        .field(
            "metric",
            .word(of: KnowledgeBaseSpec.Index.Metric.self),
            default: "cosine",
            "What near means among vectors."
        )
    )
}
