internal import Schema

/// Makes few-shot pairs of the rows of a dataset: of the columns `input` and `output`, or of those that a template names.
enum FewShotRows {
    /// Says which line of the file is wrong, and how.
    typealias Malformed = RowInvalid

    /// - Parameter path: of the dataset's file.
    static func pairs(
        of table: DatasetRows.Table,
        _ examples: PromptTemplateSpec.Examples,
        path: String
    ) throws(Malformed) -> [PromptTemplateSpec.Examples.Pair] {
        let columns = examples.columns
        if let header = table.header, let name = [columns.input, columns.output].first(where: { !header.contains($0) })
        {
            throw self.missing(name, "the first line", at: SourceLocation(path: path, line: 1, column: 1))
        }
        var pairs: [PromptTemplateSpec.Examples.Pair] = []
        for row in table.rows.prefix(examples.limit ?? table.rows.count) {
            let place = SourceLocation(path: path, line: row.line, column: 1)
            guard let input = row.members[columns.input] else { throw self.missing(columns.input, "a row", at: place) }
            guard let output = row.members[columns.output] else {
                throw self.missing(columns.output, "a row", at: place)
            }
            pairs.append(.init(input: input, output: output))
        }
        return pairs
    }

    private static func missing(_ column: String, _ place: String, at location: SourceLocation) -> Malformed {
        Malformed(
            location: location,
            message:
                "\(place) needs the column '\(column)'; few-shot pairs are made of input and output, or of what the "
                + "template's spec.examples.columns names"
        )
    }
}
