internal import Foundation
internal import GRDB
package import Planning
internal import Schema

extension SQLiteRecordStore {
    package func record(_ id: String) async throws -> RequestRecord? {
        try await self.search(RecordQuery(id: id, limit: 1)).records.first
    }

    package func replays(of id: String) async throws -> [RequestRecord] {
        try await self.catchUp()
        return try await self.reading { database in
            let sql = """
                SELECT records.record FROM catalogue JOIN records USING (sequence)
                WHERE catalogue.replay_of = ? ORDER BY sequence LIMIT 1000
                """
            return try Row.fetchAll(database, sql: sql, arguments: [id]).map { try RequestRecord(stored: $0) }
        }
    }

    package func search(_ query: RecordQuery) async throws -> RecordPage {
        try await self.catchUp()
        let pageBytes = self.limits.pageBytes
        return try await self.reading { database in
            let (condition, arguments) = query.condition
            let order = query.after == nil ? "DESC" : "ASC"
            // Not a comma: the order of the catalogue is the one that a page needs.
            let sql = """
                SELECT catalogue.sequence, records.record FROM catalogue CROSS JOIN records USING (sequence)
                WHERE \(condition) ORDER BY catalogue.sequence \(order) LIMIT ?
                """
            let limit = max(0, query.limit)
            let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments + [limit + 1])
            var (page, size, last) = (RecordPage(records: [], next: nil, newest: 0), 0, Int64?.none)
            while let row = try rows.next() {
                guard page.records.count < limit, size < pageBytes else {
                    page.next = last
                    break
                }
                page.records.append(try RequestRecord(stored: row))
                size += (row["record"] as Data).count
                last = row["sequence"]
            }
            page.newest = try Int64.fetchOne(database, sql: "SELECT max(sequence) FROM catalogue") ?? 0
            return page
        }
    }

    /// Reads on another thread, beside whatever is written.
    func reading<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        let pool = self.database
        return try await BlockingWork.run { stop throws(any Error) in
            try stop.check()
            do {
                return try pool.read(body)
            } catch let error as DatabaseError where RecordDatabase.isDamage(error) {
                throw MartletError(
                    "RecordsDamaged",
                    "'\(self.path)' is damaged (\(error.message ?? "\(error)")): what can be read is still served; to begin "
                        + "anew, stop the controller and move the file away",
                    cause: error
                )
            } catch {
                throw try StoreFailure.translating(self.path) { throw error }
            }
        }
    }
}

extension RequestRecord {
    /// Reads a row back.
    init(stored row: Row) throws {
        do {
            self = try JSONValueDecoder().decode(RequestRecord.self, from: RecordCatalogue.json(row))
        } catch let error as DecodingError {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a record cannot be read: \(error)")
        }
    }
}

extension RecordQuery {
    /// Its conditions on the catalogue, in SQL.
    fileprivate var condition: (String, StatementArguments) {
        var conditions: [(String, (any DatabaseValueConvertible)?)] = [
            ("started_at >= ?", self.since?.milliseconds), ("started_at < ?", self.until?.milliseconds),
            ("id = ?", self.id), ("namespace = ?", self.namespace), ("endpoint = ?", self.endpoint),
            ("tenant = ?", self.tenant), ("revision >= ?", self.revision?.lowercased()),
            // No hex digit comes behind it.
            ("revision < ?", self.revision.map { $0.lowercased() + "g" }),
            ("catalogue.sequence < ?", self.before), ("catalogue.sequence > ?", self.after),
            (
                "catalogue.sequence IN (SELECT rowid FROM words WHERE words MATCH ?)",
                self.text.flatMap(RecordQuery.match)
            ),
        ]
        if self.status != RecordQuery.anyError { conditions.append(("status = ?", self.status)) }
        let given = conditions.filter { $0.1 != nil }
        var words = given.map(\.0)
        if self.status == RecordQuery.anyError { words.append("status NOT IN ('ok', 'cancelled')") }
        return (
            words.isEmpty ? "TRUE" : words.joined(separator: " AND "), StatementArguments(given.map(\.1))
        )
    }

    /// Words that must all occur, none of them with a meaning of its own to the search; one that ends with `*` stands for
    /// all that begin like it. Nil where there is no word.
    static func match(_ text: String) -> String? {
        let words = text.split { $0.isWhitespace || $0 == "\0" }.map { word in
            let isPrefix = word.hasSuffix("*") && word.count > 1
            let quoted = "\"\((isPrefix ? word.dropLast() : word).replacing("\"", with: "\"\""))\""
            return isPrefix ? quoted + "*" : quoted
        }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }
}
