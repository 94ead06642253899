/// What was rescued from a damaged database.
package struct RebuildReport: Sendable, Hashable {
    /// What came of one table.
    package struct Table: Sendable, Hashable {
        package var name: String
        /// Rows that are in the new database.
        package var rescued: Int
        /// Rows that could be read and did not make sense.
        package var refused: Int
        /// Whether parts of it could not be read at all.
        package var isIncomplete: Bool
    }

    /// Where the damaged database is kept.
    package var aside: String
    /// What was wrong with it.
    package var damage: String
    package var tables: [Table] = []
    /// What became of the audit log, in a sentence.
    package var audit = ""

    /// For people: what was rescued, and what was lost.
    package var lines: [String] {
        let rescued = self.tables.filter { $0.rescued > 0 }.map { "\($0.rescued) \($0.name)" }
        let lost = self.tables.filter { $0.refused > 0 || $0.isIncomplete }.map { table in
            table.isIncomplete ? "\(table.name) (a part cannot be read)" : "\(table.refused) of \(table.name)"
        }
        return [
            "the damaged database is kept as '\(self.aside)': \(self.damage)",
            "rescued: " + (rescued.isEmpty ? "nothing" : rescued.joined(separator: ", ")),
            "lost: " + (lost.isEmpty ? "nothing that is known of" : lost.joined(separator: ", ")),
            self.audit,
        ]
    }
}
