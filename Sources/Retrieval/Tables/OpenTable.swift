internal import Planning
internal import Schema

/// A feature table that is open.
final class OpenTable: FeatureRows {
    private let table: RevisionGraph.FeatureTable
    private let columns: Set<String>
    private let rows: RowFile
    private let wallClock: any WallClock

    /// Throws `IndexUnreadable`.
    init(
        _ folder: IndexFolder,
        _ note: IndexNote,
        _ table: RevisionGraph.FeatureTable,
        wallClock: any WallClock
    ) throws {
        self.table = table
        self.columns = Set(note.columns ?? [])
        self.rows = try RowFile(folder.file(RowFile.fileName))
        self.wallClock = wallClock
    }

    func row(_ key: [JSONValue], columns: [String]?) async throws -> FeatureRow? {
        for column in columns ?? [] where !self.columns.contains(column) {
            let hint = NearestWord.hint(for: column, among: Array(self.columns))
            throw MartletError("FeatureColumnUnknown", "\(self.table.identity) has no column '\(column)'\(hint)")
        }
        let text = FeatureRowReader.keyText(of: try self.typed(key))
        guard let found = try self.rows.row(text) else { return nil }
        var row = FeatureRow(values: found.values)
        if let columns { row.values = row.values.filter { columns.contains($0.key) } }
        try self.judge(&row, found.time, text)
        return row
    }

    /// The key as the table's columns have it. Throws `FeatureKeyInvalid`.
    private func typed(_ key: [JSONValue]) throws -> [JSONValue] {
        let columns = self.table.spec.key
        guard key.count == columns.count else {
            throw MartletError(
                "FeatureKeyInvalid",
                "the key of \(self.table.identity) is \(columns.joined(separator: ", ")), and \(key.count) "
                    + (key.count == 1 ? "value was given" : "values were given")
            )
        }
        return try zip(columns, key).map { column, value in
            // Cells of a table without a type are text.
            let type = self.table.columns[column] ?? (self.table.format == .csv ? .string : nil)
            guard value != .null, let part = type.map({ $0.read(value) }) ?? value else {
                throw MartletError(
                    "FeatureKeyInvalid",
                    "\(value.canonicalJSON) is no \(type?.rawValue ?? "key") for '\(column)' of \(self.table.identity)"
                )
            }
            return part
        }
    }

    /// Says how old a row is. Throws `FeatureStale` where it is too old to be given.
    private func judge(_ row: inout FeatureRow, _ time: Timestamp?, _ key: String) throws {
        guard let freshness = self.table.spec.freshness, let time = time ?? self.table.writtenAt else { return }
        // A row's time may be any number at all.
        let (elapsed, overflows) = self.wallClock.now().milliseconds.subtractingReportingOverflow(time.milliseconds)
        let age = Duration.milliseconds(overflows && time.milliseconds < 0 ? .max : max(0, elapsed))
        row.age = age
        row.isStale = age > freshness.maxAge.duration
        switch freshness.onStale {
        case .warn: return
        case .fail:
            guard row.isStale else { return }
            throw MartletError(
                "FeatureStale",
                "the row \(key) of \(self.table.identity) is \(age.components.seconds) s old, and \(freshness.maxAge) is "
                    + "the most; write newer rows"
            )
        }
    }
}
