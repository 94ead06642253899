internal import GRDB
package import Planning
internal import Schema

extension SQLiteControlStore {
    package func events(_ query: EventQuery) throws -> [Event] {
        var condition = "sequence > ?"
        var arguments: StatementArguments = [query.after ?? 0]
        if let resource = query.resource {
            condition += " AND subject = ?"
            arguments += [resource.description]
        }
        let sql = "SELECT event, '' FROM events WHERE \(condition) ORDER BY sequence DESC LIMIT ?"
        return try self.decoded(Event.self, sql, arguments + [max(0, query.limit)], in: "events").reversed()
    }

    package func commits(limit: Int) throws -> [CommitRecord] {
        let sql = "SELECT record, '' FROM commits ORDER BY number DESC LIMIT ?"
        return try self.decoded(CommitRecord.self, sql, [max(0, limit)], in: "commits")
    }

    package func promotions(of variant: VariantID?, limit: Int) throws -> [PromotionRecord] {
        let condition = variant == nil ? "" : "WHERE variant = ?"
        let arguments = variant.map { StatementArguments([$0.description]) } ?? []
        let sql = "SELECT record, '' FROM promotions \(condition) ORDER BY number DESC LIMIT ?"
        return try self.decoded(PromotionRecord.self, sql, arguments + [max(0, limit)], in: "promotions")
    }

    package func audit(limit: Int) throws -> [AuditEntry] {
        try self.access {
            try self.pool.read { database in
                try Row
                    .fetchAll(
                        database,
                        sql: "SELECT * FROM audit ORDER BY sequence DESC LIMIT ?",
                        arguments: [max(0, limit)]
                    )
                    .map { try AuditEntry(stored: $0) }
            }
        }
    }

    package func verifyAudit() throws -> AuditVerification {
        try self.access {
            try self.pool.read { database in
                let rows = try Row.fetchCursor(database, sql: "SELECT * FROM audit ORDER BY sequence")
                return try AuditChain.stored(in: database).verify { try rows.next().map { try AuditEntry(stored: $0) } }
            }
        }
    }

    private func decoded<Value: Decodable>(
        _ type: Value.Type,
        _ sql: String,
        _ arguments: StatementArguments,
        in table: String
    ) throws -> [Value] {
        try self.access {
            try self.pool.read { database in
                try Self.rows(database, sql, arguments: arguments) { text, _ in
                    try StoredJSON.decode(type, text, in: table)
                }
            }
        }
    }
}

extension AuditEntry {
    /// Reads a row of the audit log. Throws when a column does not hold what belongs there.
    init(stored row: Row) throws {
        func read<Value: DatabaseValueConvertible>(_ column: String, _ type: Value.Type = Value.self) throws -> Value {
            guard let value = Value.fromDatabaseValue(row[column]) else {
                throw DatabaseError(
                    resultCode: .SQLITE_CORRUPT,
                    message: "column '\(column)' of 'audit' cannot be read"
                )
            }
            return value
        }
        self.init(
            sequence: try read("sequence"),
            at: Timestamp(milliseconds: try read("at")),
            actor: Actor(try read("actor")),
            action: try read("action"),
            subject: try read("subject"),
            reason: try read("reason"),
            origin: try read("origin"),
            commit: String.fromDatabaseValue(row["commit"]),
            // A salvaged log may be from before signers were written down.
            signer: row.hasColumn("signer") ? String.fromDatabaseValue(row["signer"]) : nil,
            digest: Digest(hex: try read("digest"))
        )
    }
}

extension AuditChain {
    /// The end of the log, as the last transaction left it.
    static func stored(in database: Database) throws -> AuditChain {
        guard let row = try Row.fetchOne(database, sql: "SELECT length, digest FROM audit_head") else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "table 'audit_head' is empty")
        }
        let digest = String.fromDatabaseValue(row["digest"])
        let length = Int64.fromDatabaseValue(row["length"]) ?? -1
        return AuditChain(length: length, head: digest.flatMap { Digest(hex: $0) })
    }
}
