internal import GRDB
internal import Planning
internal import Schema

/// Carries what can be read of a damaged database over into an empty one.
struct Salvage {
    /// Nil: nothing at all can be read.
    let source: Database?
    let target: Database

    /// Carries every table over, but for the audit log. Parents come before the rows that name them.
    func carryTables() throws -> [RebuildReport.Table] {
        let names = try String.fetchAll(
            self.target,
            sql: """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND name NOT LIKE 'grdb_%' AND name NOT IN ('audit', 'audit_head')
                ORDER BY name = 'variant_graphs', rowid
                """
        )
        var reports = try names.map { try self.carry($0) }
        try self.dropBrokenVariants(&reports)
        try self.carryEventNumber()
        return reports
    }

    private func carry(_ table: String) throws -> RebuildReport.Table {
        var report = RebuildReport.Table(name: table, rescued: 0, refused: 0, isIncomplete: false)
        let wanted = try self.target.columns(in: table).map(\.name)
        guard let source = self.source, let known = try? source.columns(in: table).map(\.name) else {
            report.isIncomplete = true
            return report
        }
        // An older Martlet's table may lack columns.
        let columns = wanted.filter { known.contains($0) }
        let reader = try RowReader(source, table: table, columns: columns)
        report.isIncomplete = reader.isIncomplete
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let insertion = try self.target.makeStatement(sql: "INSERT INTO \"\(table)\" (\(list)) VALUES (\(marks))")
        for row in reader.rows {
            let values = Dictionary(zip(columns, row.values)) { first, _ in first }
            guard RowCheck.accepts(values, in: table) else {
                report.refused += 1
                continue
            }
            do {
                try insertion.execute(arguments: StatementArguments(row.values))
                report.rescued += 1
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                report.refused += 1
            }
        }
        return report
    }

    /// A variant without the graph of its promoted revision could not be brought back: git brings it anew. One without
    /// the graph of a rollout only begins that again.
    private func dropBrokenVariants(_ reports: inout [RebuildReport.Table]) throws {
        for (variant, text) in try SQLiteControlStore.rows(
            self.target,
            "SELECT variant, facts FROM variants",
            { ($0, $1) }
        ) {
            var facts = try StoredJSON.decode(VariantFacts.self, text, in: "variants")
            let graphs = try SQLiteControlStore.rows(
                self.target,
                """
                SELECT graphs.graph, '' FROM variant_graphs JOIN graphs ON digest = variant_graphs.graph
                WHERE variant = ? ORDER BY place
                """,
                arguments: [variant]
            ) { text, _ in
                try StoredJSON.decode(RevisionGraph.self, text, in: "graphs").revision
            }
            if let promoted = facts.promoted, !graphs.contains(promoted) {
                try self.target.execute(sql: "DELETE FROM variants WHERE variant = ?", arguments: [variant])
                if let index = reports.firstIndex(where: { $0.name == "variants" }) {
                    reports[index].rescued -= 1
                    reports[index].refused += 1
                }
            } else if let rollout = facts.rollout, !graphs.contains(rollout.revision) {
                facts.rollout = nil
                try self.target.execute(
                    sql: "UPDATE variants SET facts = ? WHERE variant = ?",
                    arguments: [try StoredJSON.encode(facts), variant]
                )
            }
        }
        try self.target.execute(
            sql: "DELETE FROM graphs WHERE NOT EXISTS (SELECT 1 FROM variant_graphs WHERE graph = digest)"
        )
    }

    /// New events are numbered after every one that ever was, so that whoever follows by number misses none.
    private func carryEventNumber() throws {
        let sql = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'"
        guard let source = self.source, let newest = try? Int64.fetchOne(source, sql: sql) else { return }
        let known = try Int64.fetchOne(self.target, sql: sql)
        guard newest > known ?? 0, newest < Int64.max / 2 else { return }
        try self.target.execute(
            sql: known == nil
                ? "INSERT INTO sqlite_sequence (seq, name) VALUES (?, 'events')"
                : "UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'",
            arguments: [newest]
        )
    }
}

/// Tells rows that make sense from damaged ones that only look like rows.
enum RowCheck {
    /// Whether a row of this table can be read back. Tables that are not known here are taken as they are.
    static func accepts(_ values: [String: DatabaseValue], in table: String) -> Bool {
        func text(_ column: String) -> String? { values[column].flatMap { String.fromDatabaseValue($0) } }
        func holds<Value: Decodable>(_ type: Value.Type, _ column: String) -> Bool {
            text(column).map { (try? StoredJSON.decode(type, $0, in: table)) != nil } ?? false
        }
        return switch table {
        case "graphs":
            holds(RevisionGraph.self, "graph") && text("graph").map { Digest(of: $0.utf8).hex } == text("digest")
        case "variants": holds(VariantFacts.self, "facts") && text("variant").flatMap { VariantID($0) } != nil
        case "holds": holds(Hold.self, "hold")
        case "suspensions": text("id").flatMap { Suspension(stored: $0) } != nil
        case "probes": holds(ProbeReport.self, "report") && text("instance").flatMap { Digest(hex: $0) } != nil
        case "loading", "crashed", "cut_short": text("id").flatMap { Digest(hex: $0) } != nil
        case "conditions":
            holds([Condition].self, "conditions") && text("resource").flatMap { ResourceIdentity($0) } != nil
        case "applied": holds(AppliedCommit.self, "applied")
        case "confirmations": holds(PruneConfirmation.self, "confirmation")
        case "commits": holds(CommitRecord.self, "record")
        case "promotions": holds(PromotionRecord.self, "record")
        case "events": holds(Event.self, "event")
        default: true
        }
    }
}
