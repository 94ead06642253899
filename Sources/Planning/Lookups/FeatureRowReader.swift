package import Schema

/// Says where in a table's file something is wrong, and what.
package struct RowInvalid: Error, Sendable, Hashable {
    package var location: SourceLocation
    package var message: String

    package init(location: SourceLocation, message: String) {
        self.location = location
        self.message = message
    }
}

/// Takes the rows of a feature table one by one: types their values, finds their keys, and refuses a key that comes
/// twice. Pure.
package struct FeatureRowReader: Sendable {
    /// One row, ready to be kept.
    package struct Row: Sendable, Hashable {
        /// What ``FeatureRowReader/keyText(of:)`` makes of its key.
        package var key: String
        package var values: [String: JSONValue]
        /// What its column of freshness says.
        package var time: Timestamp?
    }

    private let table: RevisionGraph.FeatureTable
    /// The line of each key that was met.
    private var lines: [String: Int] = [:]

    package init(_ table: RevisionGraph.FeatureTable) {
        self.table = table
    }

    /// Types a row. Values of SQLite and JSONL come as they are, cells of CSV as text.
    package mutating func take(
        _ values: [String: JSONValue],
        at place: SourceLocation
    ) throws(RowInvalid) -> Row {
        var typed = values
        for (name, type) in self.table.columns {
            guard let value = values[name], value != .null else { continue }
            guard let read = type.read(value) else {
                throw RowInvalid(location: place, message: "\(value.words) in column '\(name)' is no \(type.rawValue)")
            }
            typed[name] = read
        }
        var parts: [JSONValue] = []
        for column in self.table.spec.key {
            guard let part = typed[column], part != .null else {
                throw RowInvalid(location: place, message: "this row has no value in the key's column '\(column)'")
            }
            parts.append(part)
        }
        let key = Self.keyText(of: parts)
        if let line = self.lines.updateValue(place.line, forKey: key) {
            let unit = self.table.format == nil ? "row" : "line"
            throw RowInvalid(
                location: place,
                message: "the key \(key) stands in \(unit) \(line) already; a key names one row"
            )
        }
        return Row(key: key, values: typed, time: try self.time(of: typed, at: place))
    }

    /// The one spelling of a key.
    package static func keyText(of parts: [JSONValue]) -> String {
        JSONValue.array(parts).canonicalJSON
    }

    private func time(of values: [String: JSONValue], at place: SourceLocation) throws(RowInvalid) -> Timestamp? {
        guard let column = self.table.spec.freshness?.column else { return nil }
        guard let value = values[column], value != .null else {
            throw RowInvalid(
                location: place,
                message: "this row has no value in '\(column)', the column of its freshness"
            )
        }
        guard let time = Timestamp(reading: value) else {
            throw RowInvalid(location: place, message: "\(value.words) in column '\(column)' is no timestamp")
        }
        return time
    }
}

extension FeatureRowReader {
    /// Reads the file of a table that comes from a dataset: every row goes to `receive`, in order.
    package static func read(
        _ bytes: [UInt8],
        of table: RevisionGraph.FeatureTable,
        receive: (Row) throws -> Void
    ) throws {
        var reader = FeatureRowReader(table)
        switch table.format ?? .jsonl {
        case .jsonl:
            for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
            where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                let object = try Self.object(line, number + 1, table.artifact.path)
                try receive(try reader.take(object, at: Self.place(table, number + 1)))
            }
        case .csv:
            try reader.readTable(bytes, receive: receive)
        }
    }

    private mutating func readTable(_ bytes: [UInt8], receive: (Row) throws -> Void) throws {
        let rows = try CSVTable.parse(bytes, path: self.table.artifact.path)
        guard let header = rows.first else {
            throw RowInvalid(
                location: Self.place(self.table, 1),
                message: "the file is empty; its first line names the columns"
            )
        }
        for column in Set(self.table.spec.key + self.table.columns.keys).sorted()
        where !header.cells.contains(column) {
            let hint = NearestWord.hint(for: column, among: header.cells)
            throw RowInvalid(
                location: Self.place(self.table, header.line),
                message: "there is no column '\(column)'\(hint)"
            )
        }
        for row in rows.dropFirst() {
            let place = Self.place(self.table, row.line)
            guard row.cells.count == header.cells.count else {
                throw RowInvalid(
                    location: place,
                    message: "this row has \(row.cells.count) cells, the first line names \(header.cells.count)"
                )
            }
            let values = zip(header.cells, row.cells).map { name, cell in
                // Nothing between two commas is nothing, unless the column holds text.
                let isText = self.table.columns[name].map { $0 == .string } ?? true
                return (name, cell.isEmpty && !isText ? JSONValue.null : .string(cell))
            }
            try receive(try self.take(Dictionary(values, uniquingKeysWith: { first, _ in first }), at: place))
        }
    }

    private static func object(
        _ line: ArraySlice<UInt8>,
        _ number: Int,
        _ path: String
    ) throws(RowInvalid) -> [String: JSONValue] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: Array(line))
        } catch {
            throw RowInvalid(
                location: SourceLocation(path: path, line: number, column: error.offset + 1),
                message: "not a JSON object on one line: \(error.problem)"
            )
        }
        guard let object = value.object else {
            throw RowInvalid(
                location: SourceLocation(path: path, line: number, column: 1),
                message: "a row is a JSON object on one line"
            )
        }
        return object
    }

    private static func place(_ table: RevisionGraph.FeatureTable, _ line: Int) -> SourceLocation {
        SourceLocation(path: table.artifact.path, line: line, column: 1)
    }
}

extension JSONValue {
    /// The value as an error says it.
    fileprivate var words: String { "'\(self.string ?? self.canonicalJSON)'" }
}
