internal import Schema

/// Reads the rows of a dataset, as its columns say that they are.
///
/// JSONL: one object on each line. CSV (RFC 4180): a first line with the columns' names; a cell is read as its column is
/// declared, and as text where it is not. A declared column is in every row unless it says `required: false`: then a
/// member that is missing or null, and an empty cell, leave it out.
enum DatasetRows {
    /// Says which line of the file is wrong, and how.
    typealias Malformed = RowInvalid

    struct Row: Sendable, Hashable {
        /// From 1.
        var line: Int
        var members: [String: JSONValue]
    }

    struct Table: Sendable, Hashable {
        /// The columns that every row has, as the first line of CSV names them; nil for JSONL.
        var header: [String]?
        var rows: [Row] = []
    }

    /// What a manifest says of one column.
    private struct Column {
        var type: String
        var isRequired: Bool

        init(_ declaration: JSONValue) {
            self.type = declaration.string ?? declaration["type"]?.string ?? "string"
            self.isRequired = declaration["required"] != .bool(false)
        }
    }

    static func read(_ bytes: [UInt8], of spec: DatasetSpec, path: String) throws(Malformed) -> Table {
        let columns = spec.columns.mapValues(Column.init)
        switch spec.format ?? (path.lowercased().hasSuffix(".csv") ? .csv : .jsonl) {
        case .jsonl: return try self.readLines(bytes, columns, path: path)
        case .csv: return try self.readTable(bytes, columns, path: path)
        }
    }

    // MARK: JSONL

    private static func readLines(
        _ bytes: [UInt8],
        _ columns: [String: Column],
        path: String
    ) throws(Malformed) -> Table {
        var rows: [Row] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            let row: JSONValue
            do {
                row = try JSONValue(parsing: Array(line))
            } catch {
                let place = SourceLocation(path: path, line: index + 1, column: error.offset + 1)
                throw Malformed(location: place, message: "not a JSON object on one line: \(error.problem)")
            }
            let place = SourceLocation(path: path, line: index + 1, column: 1)
            guard var members = row.object else {
                throw Malformed(location: place, message: "a row must be a JSON object")
            }
            for (name, column) in columns.sorted(by: { $0.key < $1.key }) {
                members[name] = try self.member(members[name], name, column, at: place)
            }
            rows.append(Row(line: index + 1, members: members))
        }
        return Table(rows: rows)
    }

    private static func member(
        _ value: JSONValue?,
        _ name: String,
        _ column: Column,
        at place: SourceLocation
    ) throws(Malformed) -> JSONValue? {
        guard let value, value != .null || column.type == "json" else {
            guard column.isRequired else { return nil }
            let message = "a row needs the member '\(name)', unless its column says 'required: false'"
            throw Malformed(location: place, message: message)
        }
        let fits =
            switch (column.type, value) {
            case ("json", _), ("string", .string), ("boolean", .bool), ("integer", .integer), ("number", .integer),
                ("number", .number), ("timestamp", .string), ("timestamp", .integer):
                true
            case ("integer", .number(let number)): Int64(exactly: number) != nil
            default: false
            }
        guard fits else {
            let spelling = value.canonicalJSON.shortened
            throw Malformed(location: place, message: "\(spelling) in column '\(name)' is no \(column.type)")
        }
        return value
    }

    // MARK: CSV

    private static func readTable(
        _ bytes: [UInt8],
        _ columns: [String: Column],
        path: String
    ) throws(Malformed) -> Table {
        let table = try CSVTable.parse(bytes, path: path)
        guard let header = table.first else { return Table() }
        let place = SourceLocation(path: path, line: header.line, column: 1)
        if let twice = Set(header.cells).first(where: { name in header.cells.count { $0 == name } > 1 }) {
            throw Malformed(location: place, message: "the first line names the column '\(twice)' twice")
        }
        let missing = columns.filter { $0.value.isRequired && !header.cells.contains($0.key) }.keys.sorted()
        if let name = missing.first {
            let message = "the first line needs the column '\(name)', unless it says 'required: false'"
            throw Malformed(location: place, message: message)
        }
        var rows: [Row] = []
        for row in table.dropFirst() {
            let place = SourceLocation(path: path, line: row.line, column: 1)
            guard row.cells.count == header.cells.count else {
                throw Malformed(
                    location: place,
                    message: "this row has \(row.cells.count) cells, the first line names \(header.cells.count)"
                )
            }
            var members: [String: JSONValue] = [:]
            for (name, cell) in zip(header.cells, row.cells) {
                members[name] = try self.value(cell, name, columns[name], at: place)
            }
            rows.append(Row(line: row.line, members: members))
        }
        return Table(header: header.cells, rows: rows)
    }

    private static func value(
        _ cell: String,
        _ name: String,
        _ column: Column?,
        at place: SourceLocation
    ) throws(Malformed) -> JSONValue? {
        guard let column else { return .string(cell) }
        if cell.isEmpty, !column.isRequired { return nil }
        let value: JSONValue?
        switch column.type {
        case "integer": value = Int64(cell).map { .integer($0) }
        case "number": value = Double(cell).flatMap { $0.isFinite ? .number($0) : nil }
        case "boolean": value = Bool(cell).map { .bool($0) }
        case "json": value = try? JSONValue(parsing: cell)
        default: value = .string(cell)
        }
        guard let value else {
            throw Malformed(location: place, message: "'\(cell.shortened)' in column '\(name)' is no \(column.type)")
        }
        return value
    }
}
