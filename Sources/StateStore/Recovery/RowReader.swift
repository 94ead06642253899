internal import GRDB

/// Reads the rows of a damaged table: around what cannot be read, from both sides, and into what lies between.
struct RowReader {
    /// How many reads may fail before the rest of a table is given up.
    private static let patience = 2000

    private let database: Database
    private let sql: (_ condition: String) -> String
    private var failures = 0
    /// By row id.
    private(set) var rows: [(id: Int64, values: [DatabaseValue])] = []
    /// Whether something of the table could not be read.
    private(set) var isIncomplete = false

    /// Reads what can be read of these columns.
    init(_ database: Database, table: String, columns: [String]) throws {
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        self.database = database
        self.sql = { "SELECT rowid, \(list) FROM \"\(table)\" \($0)" }
        try self.readEverything()
        self.rows.sort { $0.id < $1.id }
    }

    private mutating func readEverything() throws {
        guard try !self.read("ORDER BY rowid") else { return }
        self.isIncomplete = true
        let last = self.rows.map(\.id).max() ?? 0
        let known = self.rows.count
        if try self.read("WHERE rowid > \(last) ORDER BY rowid DESC") { return }
        // Nothing from the far side: the ids that may follow are guessed at.
        let (guess, isBeyond) = last.addingReportingOverflow(1 << 20)
        let first = self.rows.dropFirst(known).map(\.id).min() ?? (isBeyond ? .max : guess)
        try self.readBetween(last, first)
    }

    /// Reads what lies between two ids, both left out.
    private mutating func readBetween(_ low: Int64, _ high: Int64) throws {
        var gaps = [(low, high)]
        while let (low, high) = gaps.popLast(), self.failures < Self.patience {
            guard RowReader.distance(low, high) > 1 else { continue }
            let known = self.rows.count
            if try self.read("WHERE rowid > \(low) AND rowid < \(high) ORDER BY rowid") { continue }
            let reached = self.rows.dropFirst(known).map(\.id).max() ?? low
            let distance = RowReader.distance(reached, high)
            guard distance > 2 else { continue }
            // Somewhere after the last row that came is one that does not.
            let middle = reached &+ Int64(distance / 2)
            gaps += [(middle - 1, high), (reached, middle)]
        }
    }

    /// How far apart two ids are; damaged ones may lie further apart than an `Int64` counts.
    private static func distance(_ low: Int64, _ high: Int64) -> UInt64 {
        high > low ? UInt64(bitPattern: high &- low) : 0
    }

    /// Reads rows until there are no more, or one cannot be read; tells which.
    private mutating func read(_ condition: String) throws -> Bool {
        do {
            let cursor = try Row.fetchCursor(self.database, sql: self.sql(condition))
            while let row = try cursor.next() {
                guard let id = Int64.fromDatabaseValue(row[0]) else { continue }
                self.rows.append((id, row.databaseValues.dropFirst().map(\.self)))
            }
            return true
        } catch let error as DatabaseError where RowReader.isDamage(error) {
            self.failures += 1
            return false
        }
    }

    private static func isDamage(_ error: DatabaseError) -> Bool {
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_IOERR, .SQLITE_ERROR, .SQLITE_FORMAT: true
        default: false
        }
    }
}
