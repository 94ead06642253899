internal import GRDB
package import Planning
package import Schema

extension SQLiteControlStore {
    package func facts() throws -> Facts {
        try self.access {
            try self.pool.read { database in
                Facts(
                    variants: try Self.variants(database),
                    holds: try Self.rows(database, "SELECT hold, '' FROM holds ORDER BY number") { text, _ in
                        try StoredJSON.decode(Hold.self, text, in: "holds")
                    },
                    suspensions: Set(
                        try Self.rows(database, "SELECT id, '' FROM suspensions") { text, _ in
                            try StoredJSON.key(Suspension(stored: text), text, in: "suspensions")
                        }
                    ),
                    probes: try Self.probes(database),
                    crashed: Set(try Self.instances(database, in: "crashed")),
                    cutShort: try Self.cutShort(database),
                    applied: try Self.applied(database),
                    confirmations: try Self.confirmations(database)
                )
            }
        }
    }

    package func unfinishedLoads() throws -> [InstanceKey] {
        try self.access { try self.pool.read { try Self.instances($0, in: "loading") } }
    }

    package func conditions() throws -> [ResourceIdentity: [Condition]] {
        try self.access {
            try self.pool.read { database in
                let pairs = try Self.rows(database, "SELECT resource, conditions FROM conditions") { key, text in
                    (
                        try StoredJSON.key(ResourceIdentity(key), key, in: "conditions"),
                        try StoredJSON.decode([Condition].self, text, in: "conditions")
                    )
                }
                return Dictionary(uniqueKeysWithValues: pairs)
            }
        }
    }

    private static func variants(_ database: Database) throws -> [VariantID: VariantFacts] {
        var variants: [VariantID: VariantFacts] = [:]
        for (id, facts) in try self.rows(
            database,
            "SELECT variant, facts FROM variants",
            { key, text in
                (try self.variant(key), try StoredJSON.decode(VariantFacts.self, text, in: "variants"))
            }
        ) {
            variants[id] = facts
        }
        for (id, graph) in try self.rows(
            database,
            """
            SELECT variant, graphs.graph FROM variant_graphs JOIN graphs ON digest = variant_graphs.graph
            ORDER BY variant, place
            """,
            { key, text in
                (try self.variant(key), try StoredJSON.decode(RevisionGraph.self, text, in: "graphs"))
            }
        ) {
            variants[id]?.graphs.append(graph)
        }
        return variants
    }

    private static func variant(_ text: String) throws -> VariantID {
        try StoredJSON.key(VariantID(text), text, in: "variants")
    }

    private static func probes(_ database: Database) throws -> [InstanceKey: ProbeReport] {
        let pairs = try self.rows(database, "SELECT instance, report FROM probes") { key, text in
            (try self.instance(key, in: "probes"), try StoredJSON.decode(ProbeReport.self, text, in: "probes"))
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private static func applied(_ database: Database) throws -> [String: AppliedCommit] {
        let pairs = try self.rows(database, "SELECT source, applied FROM applied") { source, text in
            (source, try StoredJSON.decode(AppliedCommit.self, text, in: "applied"))
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private static func confirmations(_ database: Database) throws -> [ObjectID: PruneConfirmation] {
        let pairs = try self.rows(database, "SELECT id, confirmation FROM confirmations") { commit, text in
            (commit, try StoredJSON.decode(PruneConfirmation.self, text, in: "confirmations"))
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private static func cutShort(_ database: Database) throws -> [InstanceKey: Int] {
        let pairs = try self.rows(database, "SELECT id, CAST(starts AS TEXT) FROM cut_short") { key, starts in
            (
                try self.instance(key, in: "cut_short"),
                try StoredJSON.key(Int(starts), starts, in: "cut_short")
            )
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private static func instances(_ database: Database, in table: String) throws -> [InstanceKey] {
        try self.rows(database, "SELECT id, '' FROM \(table) ORDER BY id") { key, _ in
            try self.instance(key, in: table)
        }
    }

    private static func instance(_ text: String, in table: String) throws -> InstanceKey {
        InstanceKey(try StoredJSON.key(Digest(hex: text), text, in: table))
    }

    /// Reads two text columns of every row.
    static func rows<Value>(
        _ database: Database,
        _ sql: String,
        arguments: StatementArguments = [],
        _ value: (String, String) throws -> Value
    ) throws -> [Value] {
        var values: [Value] = []
        let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
        while let row = try rows.next() {
            guard let first = String.fromDatabaseValue(row[0]), let second = String.fromDatabaseValue(row[1]) else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a column of '\(sql)' is no text")
            }
            values.append(try value(first, second))
        }
        return values
    }
}

extension Suspension {
    /// `*` for everything, else the resource: no resource is called so.
    var stored: String {
        switch self {
        case .everything: "*"
        case .resource(let identity): identity.description
        }
    }

    init?(stored: String) {
        if stored == "*" {
            self = .everything
        } else if let identity = ResourceIdentity(stored) {
            self = .resource(identity)
        } else {
            return nil
        }
    }
}
