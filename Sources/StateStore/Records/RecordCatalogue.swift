internal import Foundation
internal import GRDB
internal import Planning
internal import Schema

/// Makes records findable, some at a time, in the order in which they were written.
struct RecordCatalogue {
    let database: Database

    /// Takes up to `limit` records into the catalogue. Returns whether others are left.
    func extend(limit: Int) throws -> Bool {
        let start = try Int64.fetchOne(self.database, sql: "SELECT sequence FROM catalogued") ?? 0
        let rows = try Row.fetchAll(
            self.database,
            sql: "SELECT sequence, expires_at, record FROM records WHERE sequence > ? ORDER BY sequence LIMIT ?",
            arguments: [start, limit]
        )
        guard let last = rows.last else { return false }
        for row in rows { try self.add(row["sequence"], expiresAt: row["expires_at"], RecordCatalogue.json(row)) }
        try self.database.execute(sql: "UPDATE catalogued SET sequence = ?", arguments: [last["sequence"] as Int64])
        return rows.count == limit
    }

    private func add(_ sequence: Int64, expiresAt: Int64, _ record: JSONValue) throws {
        let variant = record["variant"]?.string.flatMap { VariantID($0) }
        guard case .integer(let startedAt)? = record["startedAt"], let variant else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "record \(sequence) cannot be read")
        }
        try self.database.cachedStatement(
            sql: "INSERT INTO catalogue VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(
            arguments: [
                sequence, record["id"]?.string, startedAt, expiresAt, variant.namespace, variant.endpoint,
                record["tenant"]?.string, record["revision"]?.string, record["status"]?.string,
                record["replayOf"]?.string,
            ]
        )
        let text = RecordCatalogue.text(of: record)
        guard !text.isEmpty else { return }
        try self.database.cachedStatement(sql: "INSERT INTO words (rowid, text) VALUES (?, ?)")
            .execute(arguments: [sequence, text])
    }

    /// Removes up to `limit` records whose time was over at `now`, with all that was said of them. Returns how many.
    func prune(now: Timestamp, limit: Int) throws -> Int {
        let rows = try Row.fetchAll(
            self.database,
            sql: """
                SELECT records.sequence, records.record FROM catalogue JOIN records USING (sequence)
                WHERE catalogue.expires_at <= ? ORDER BY catalogue.expires_at LIMIT ?
                """,
            arguments: [now.milliseconds, limit]
        )
        for row in rows {
            let (sequence, text) = (row["sequence"] as Int64, RecordCatalogue.text(of: try RecordCatalogue.json(row)))
            if !text.isEmpty {
                try self.database.cachedStatement(sql: "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)")
                    .execute(arguments: [sequence, text])
            }
            try self.database.cachedStatement(sql: "DELETE FROM records WHERE sequence = ?")
                .execute(arguments: [sequence])
        }
        return rows.count
    }

    /// The stored JSON of a row.
    static func json(_ row: Row) throws -> JSONValue {
        let data: Data = row["record"]
        do {
            return try JSONValue(parsing: Array(data), limits: JSONLimits(depth: 512, bytes: 1 << 30))
        } catch {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a record cannot be read: \(error)")
        }
    }

    /// What text searches look at: every text in the input and the output, the same whenever it is asked for.
    private static func text(of record: JSONValue) -> String {
        var texts: [String] = []
        for value in [record["input"], record["output"]] { value?.appendTexts(to: &texts) }
        return texts.joined(separator: "\n")
    }
}

extension JSONValue {
    fileprivate func appendTexts(to texts: inout [String]) {
        switch self {
        case .null, .bool, .integer, .number: break
        case .string(let text): texts.append(text)
        case .array(let elements): for element in elements { element.appendTexts(to: &texts) }
        case .object(let members):
            for member in members.sorted(by: { $0.key < $1.key }) { member.value.appendTexts(to: &texts) }
        }
    }
}
