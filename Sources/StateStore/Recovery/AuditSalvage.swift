internal import Foundation
internal import GRDB
internal import Planning
internal import Schema

/// Carries the audit log over as far as its chain holds; entries after a break keep their place in a file of their own.
///
/// An entry that was sealed once is never sealed again: the new chain goes on with an entry that tells of the break.
struct AuditSalvage {
    /// The entries up to the first that is missing or changed.
    private(set) var chained: [AuditEntry] = []
    /// What could be read behind them.
    private(set) var loose: [AuditEntry] = []
    /// The end of the chain as it was written down, if that can be read.
    private(set) var head: AuditChain?

    init(_ source: Database?) throws {
        guard let source else { return }
        self.head = try? AuditChain.stored(in: source)
        var columns = ["at", "actor", "action", "subject", "reason", "origin", "commit", "digest"]
        // SQLite would take the name of a column that is not there for a text.
        let known = (try? source.columns(in: "audit"))?.map(\.name) ?? []
        if known.contains("signer") { columns.append("signer") }
        guard let reader = try? RowReader(source, table: "audit", columns: columns) else { return }
        var chain = AuditChain()
        for row in reader.rows {
            let values = Dictionary(uniqueKeysWithValues: zip(columns, row.values))
            let stored = Row(values.merging(["sequence": row.id.databaseValue]) { first, _ in first })
            guard let entry = try? AuditEntry(stored: stored) else { continue }
            if self.loose.isEmpty, chain.accept(entry) {
                self.chained.append(entry)
            } else {
                self.loose.append(entry)
            }
        }
    }

    /// Whether every entry that was ever written is there.
    var isWhole: Bool {
        self.loose.isEmpty && self.head?.length == Int64(self.chained.count)
            && self.head?.head == self.chained.last?.digest
    }

    /// For the entry that follows, and for people.
    func account(_ looseFile: String?) -> String {
        guard !self.isWhole else {
            return "the audit log is whole: all \(self.chained.count) entries were carried over"
        }
        let written =
            self.head.map { "of \($0.length) entries that were written" } ?? "of nobody knows how many entries"
        let end = self.head?.head.map { ", the last of which had the digest \($0.hex)" } ?? ""
        let rest = looseFile.map { "; \(self.loose.count) behind them can be read, and are in '\($0)'" } ?? ""
        return "the audit log is broken: \(written)\(end), the first \(self.chained.count) were carried over\(rest)"
    }

    /// The loose entries, one JSON object a line.
    func looseLines() throws -> String {
        try self.loose.map { try StoredJSON.encode($0) + "\n" }.joined()
    }
}
