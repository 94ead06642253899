internal import GRDB
internal import Planning
internal import Schema

/// The rows of a table, or of a query, of somebody's SQLite file.
///
/// The file is opened for reading alone and as one that does not change, and the one statement that runs must be a
/// query that gives rows: nothing that it says can write, or open another file.
struct SQLiteRows: Sendable {
    private let queue: DatabaseQueue
    private let source: FeatureTableSpec.SQLite
    private let table: RevisionGraph.FeatureTable

    /// Throws `TableInvalid` where the file is no database.
    init(_ file: String, _ source: FeatureTableSpec.SQLite, of table: RevisionGraph.FeatureTable) throws {
        var configuration = SQLiteAddress.readOnly
        configuration.prepareDatabase { database in
            // The file's own views and triggers may call no function that does more than compute.
            try database.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        (self.source, self.table) = (source, table)
        self.queue = try Self.translating(table) {
            try DatabaseQueue(path: SQLiteAddress.immutable(file), configuration: configuration)
        }
    }

    /// Gives every row, in the database's order. Throws `TableInvalid`, `RowInvalid`, and what `receive` throws.
    func read(_ receive: (FeatureRowReader.Row) throws -> Void) throws {
        try Self.translating(self.table) {
            try self.queue.read { database in
                let statement = try self.statement(in: database)
                try self.checkColumns(of: statement)
                var reader = FeatureRowReader(self.table)
                var number = 0
                let rows = try Row.fetchCursor(statement)
                while let row = try rows.next() {
                    number += 1
                    let place = SourceLocation(path: self.table.artifact.path, line: number, column: 1)
                    try receive(try reader.take(try Self.values(of: row, at: place), at: place))
                }
            }
        }
    }

    /// Ends a query that takes too long for whoever waited.
    func interrupt() {
        self.queue.interrupt()
    }

    private func statement(in database: Database) throws -> Statement {
        if let table = self.source.table {
            guard try database.tableExists(table) || database.viewExists(table) else {
                let names = try String.fetchAll(
                    database,
                    sql: "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
                )
                let hint = NearestWord.hint(for: table, among: names)
                throw self.invalid("there is no table '\(table)'\(hint)")
            }
            return try database.makeStatement(sql: "SELECT * FROM \(table.quotedDatabaseIdentifier)")
        }
        let query = self.source.query ?? ""
        let word = query.drop { $0.isWhitespace }.prefix { $0.isLetter }.lowercased()
        guard ["select", "with", "values"].contains(word) else {
            throw self.invalid("'query' must be a SELECT")
        }
        let statement = try database.makeStatement(sql: query)
        guard statement.isReadonly, statement.columnCount > 0 else { throw self.invalid("'query' must only read") }
        return statement
    }

    private func checkColumns(of statement: Statement) throws {
        let names = statement.columnNames
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw self.invalid("the column '\(name)' comes twice; name one of them otherwise with AS")
        }
        let needed = self.table.spec.key + self.table.columns.keys.sorted()
        for column in needed + [self.table.spec.freshness?.column].compactMap(\.self) where !names.contains(column) {
            throw self.invalid("there is no column '\(column)'\(NearestWord.hint(for: column, among: names))")
        }
    }

    private static func values(of row: Row, at place: SourceLocation) throws -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        for (name, value) in row {
            switch value.storage {
            case .null: values[name] = .null
            case .int64(let number): values[name] = .integer(number)
            case .double(let number):
                guard number.isFinite else {
                    throw RowInvalid(location: place, message: "column '\(name)' holds a number without end")
                }
                values[name] = .number(number)
            case .string(let text): values[name] = .string(text)
            case .blob:
                throw RowInvalid(location: place, message: "column '\(name)' holds bytes; leave it out by a 'query'")
            }
        }
        return values
    }

    private func invalid(_ problem: String) -> MartletError {
        MartletError("TableInvalid", "\(self.table.identity), \(self.table.artifact.path): \(problem)")
    }

    private static func translating<Value>(
        _ table: RevisionGraph.FeatureTable,
        _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            if error.resultCode == .SQLITE_INTERRUPT { throw CancellationError() }
            throw MartletError(
                "TableInvalid",
                "\(table.identity), \(table.artifact.path): \(error.message ?? "\(error)")"
            )
        }
    }
}
