extension Shape {
    static let knowledgeBase = Shape.object(
        .required("documents", .list(.documents, count: 1...1000), "What is known."),
        .field("chunking", .chunking, default: [:], "How documents are cut."),
        .required(
            "embedding",
            .object(.required("model", .reference(.model), "The model that embeds pieces and queries.")),
            "How meaning becomes vectors."
        ),
        .field("index", .index, default: [:], "How vectors are found.")
    )

    private static let documents = Shape.object(
        .required("source", .source(.artifact), "A file, or a folder of the repository."),
        .field("include", .list(.format(.glob)), default: [], "Only these files of the folder; without it, all."),
        .field("exclude", .list(.format(.glob)), default: [], "All but these files of the folder."),
        .optional("format", .word(["text", "markdown", "html", "jsonl", "csv"]), "Without it, told from the ending.")
    )

    private static let chunking = Shape.object(
        .field("by", .word(["tokens", "characters", "sentences", "sections"]), default: "tokens", "What is counted."),
        .field("size", .integer(1...100_000), default: 256, "The largest piece."),
        .field("overlap", .integer(0...100_000), default: 32, "How much of a piece the next one repeats.")
    )

    private static let index = Shape.object(
        .field("type", .word(["flat", "hnsw"]), default: "flat", "Exact, or approximate and faster."),
        .field("metric", .word(["cosine", "dot", "euclidean"]), default: "cosine", "What near means."),
        .field("hybrid", .boolean, default: false, "Whether words count as well as meaning.")
    )

    static let featureTable = Shape.object(
        .optional("dataset", .reference(.dataset), "Rows of a dataset."),
        .optional("sqlite", .sqlite, "Rows of a SQLite file."),
        .required("key", .either([.nonEmptyString, .list(.nonEmptyString, count: 1...8)]), "The columns of the key."),
        .field(
            "columns",
            .map(.columnType),
            default: [:],
            "The types of columns, by name; without it, all as they are."
        ),
        .optional("freshness", .freshness, "How old a row may be."),
        rules: [.exactlyOne(["dataset", "sqlite"])]
    )

    private static let sqlite = Shape.object(
        .required("source", .source(.artifactFile), "The file, in the repository or elsewhere."),
        .optional("table", .format(.identifier), "The table."),
        .optional("query", .nonEmptyString, "A SELECT whose rows are the table."),
        rules: [.exactlyOne(["table", "query"])]
    )

    private static let freshness = Shape.object(
        .optional("column", .nonEmptyString, "The column with each row's time; without it, the file's age counts."),
        .required("maxAge", .duration, "The oldest accepted row."),
        .field("onStale", .word(["fail", "warn"]), default: "warn", "What happens with an older one.")
    )
}
