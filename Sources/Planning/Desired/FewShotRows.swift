internal import Schema

/// Reads the rows of a dataset as few-shot pairs.
///
/// JSONL: one object on each line, with the members `input` and `output` of any type; other members are left alone.
/// CSV (RFC 4180): a first line with the columns' names, among them `input` and `output`; a column that the manifest
/// declares as an integer, a number, a boolean or JSON is read as such, every other one as text.
enum FewShotRows {
    /// Says which line of the file is wrong, and how.
    typealias Malformed = RowInvalid

    static func read(
        _ bytes: [UInt8],
        of spec: DatasetSpec,
        path: String
    ) throws(Malformed) -> [PromptTemplateSpec.Examples.Pair] {
        switch spec.format ?? (path.lowercased().hasSuffix(".csv") ? .csv : .jsonl) {
        case .jsonl: try self.readLines(bytes, path: path)
        case .csv: try self.readTable(bytes, columns: spec.columns, path: path)
        }
    }

    private static func readLines(
        _ bytes: [UInt8],
        path: String
    ) throws(Malformed) -> [PromptTemplateSpec.Examples.Pair] {
        var pairs: [PromptTemplateSpec.Examples.Pair] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            let row: JSONValue
            do {
                row = try JSONValue(parsing: Array(line))
            } catch {
                let place = SourceLocation(path: path, line: index + 1, column: error.offset + 1)
                throw Malformed(location: place, message: "not a JSON object on one line: \(error.problem)")
            }
            guard let input = row["input"], let output = row["output"] else {
                let missing = row["input"] == nil ? "input" : "output"
                throw Malformed(
                    location: SourceLocation(path: path, line: index + 1, column: 1),
                    message: "a row needs the member '\(missing)'; few-shot rows are {\"input\": …, \"output\": …}"
                )
            }
            pairs.append(.init(input: input, output: output))
        }
        return pairs
    }

    private static func readTable(
        _ bytes: [UInt8],
        columns: [String: JSONValue],
        path: String
    ) throws(Malformed) -> [PromptTemplateSpec.Examples.Pair] {
        let table = try CSVTable.parse(bytes, path: path)
        guard let header = table.first else { return [] }
        func position(of name: String) throws(Malformed) -> Int {
            guard let position = header.cells.firstIndex(of: name) else {
                throw Malformed(
                    location: SourceLocation(path: path, line: header.line, column: 1),
                    message: "the first line needs the column '\(name)'; few-shot tables have input and output"
                )
            }
            return position
        }
        let (input, output) = (try position(of: "input"), try position(of: "output"))
        var pairs: [PromptTemplateSpec.Examples.Pair] = []
        for row in table.dropFirst() {
            guard row.cells.count == header.cells.count else {
                throw Malformed(
                    location: SourceLocation(path: path, line: row.line, column: 1),
                    message: "this row has \(row.cells.count) cells, the first line names \(header.cells.count)"
                )
            }
            let place = SourceLocation(path: path, line: row.line, column: 1)
            pairs.append(
                .init(
                    input: try self.value(row.cells[input], of: columns["input"], "input", at: place),
                    output: try self.value(row.cells[output], of: columns["output"], "output", at: place)
                )
            )
        }
        return pairs
    }

    private static func value(
        _ cell: String,
        of column: JSONValue?,
        _ name: String,
        at place: SourceLocation
    ) throws(Malformed) -> JSONValue {
        let type = column?.string ?? column?["type"]?.string ?? "string"
        let value: JSONValue?
        switch type {
        case "integer": value = Int64(cell).map { .integer($0) }
        case "number": value = Double(cell).map { .number($0) }
        case "boolean": value = Bool(cell).map { .bool($0) }
        case "json": value = try? JSONValue(parsing: cell)
        default: value = .string(cell)
        }
        guard let value else {
            throw Malformed(location: place, message: "'\(cell)' in column '\(name)' is no \(type)")
        }
        return value
    }
}
