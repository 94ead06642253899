extension Shape {
    static let featureTable = Shape.object(
        .optional("dataset", .reference(.dataset), "Rows of a dataset."),
        .optional("sqlite", .sqlite, "Rows of a SQLite file."),
        .required("key", .either([.nonEmptyString, .list(.nonEmptyString, count: 1...8)]), "The columns of the key."),
        .field(
            "columns",
            .map(.word(of: FeatureTableSpec.ColumnType.self)),
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
        .field(
            "onStale",
            .word(of: FeatureTableSpec.Freshness.Reaction.self),
            default: "warn",
            "What happens with an older one."
        )
    )
}
