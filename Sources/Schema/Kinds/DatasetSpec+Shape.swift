extension Shape {
    static let dataset = Shape.object(
        .required("source", .source(.artifactFile), "Where the rows come from."),
        .optional("format", .word(of: DatasetSpec.Format.self), "Without it, told from the file's ending."),
        .field("columns", .map(.either([.columnType, .column])), default: [:], "What the columns hold, by name.")
    )

    private static let columnType = Shape.word(of: FeatureTableSpec.ColumnType.self)

    private static let column = Shape.object(
        .required("type", .columnType, "The type of its values."),
        .field("required", .boolean, default: true, "Whether every row has it."),
        .optional("description", .string, "What it means.")
    )
}
