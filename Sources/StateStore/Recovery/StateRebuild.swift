internal import Foundation
internal import GRDB
internal import Glibc
package import Planning
internal import Schema

/// `martlet run --rebuild-state`: a new database in the place of one that is damaged.
package enum StateRebuild {
    /// Keeps the damaged database aside and carries over what can be read of it; the rest comes from git.
    ///
    /// Returns nil, and changes nothing, when the database is sound or was never made. Throws `StateTooNew`,
    /// `StateNotWritten` and others; then it may be tried again.
    package static func run(
        _ directory: StateDirectory,
        by actor: Actor,
        at time: Timestamp,
        files: FileOperations = .system
    ) throws -> RebuildReport? {
        let path = directory.paths.controlDatabase
        guard let damage = try self.damage(of: path) else { return nil }
        let replacement = try StateReplacement(path: path, word: "corrupt", at: time, files: files)
        try replacement.setAside()
        var report = RebuildReport(aside: replacement.aside, damage: damage)
        let place = try StateReplacement.emptyPlace(beside: path, files: files)
        let target = try StoreFailure.translating(path) { try SQLiteControlStore.makeEmpty(at: place, files) }
        try StoreFailure.translating(path) {
            try self.readingAside(replacement.aside) { source in
                try target.write { try self.fill($0, from: source, &report, by: actor, at: time, files) }
            }
            try target.close()
        }
        try replacement.finish(with: place)
        return report
    }

    /// What is wrong with the database, or nil.
    private static func damage(of path: String) throws -> String? {
        if StateReplacement.isUnfinished(path) { return "a replacement of it was cut short" }
        do {
            guard try DatabaseCheck.exists(path) else { return nil }
            // Sound pages may still hold rows that nobody can read.
            let store = try SQLiteControlStore(path: path)
            defer { try? store.close() }
            _ = try (store.facts(), store.conditions(), store.unfinishedLoads())
            return nil
        } catch let error as MartletError where error.code == "StateCorrupted" {
            return error.message.prefix { $0 != "." }.description
        }
    }

    /// Opens what was put aside, as far as that can be done.
    private static func readingAside(_ aside: String, _ body: (Database?) throws -> Void) throws {
        var hasBegun = false
        do {
            try DatabaseCheck.reading(aside) { source in
                // Asks for the list of tables: without that, nothing can be read.
                _ = try String.fetchAll(source, sql: "SELECT name FROM sqlite_master")
                hasBegun = true
                try body(source)
            }
        } catch {
            guard !hasBegun else { throw error }
            try body(nil)
        }
    }

    private static func fill(
        _ target: Database,
        from source: Database?,
        _ report: inout RebuildReport,
        by actor: Actor,
        at time: Timestamp,
        _ files: FileOperations
    ) throws {
        report.tables = try Salvage(source: source, target: target).carryTables()
        let audit = try AuditSalvage(source)
        let looseFile = audit.loose.isEmpty ? nil : "\(report.aside)-audit.jsonl"
        if let looseFile {
            let lines = try audit.looseLines()
            try StateReplacement.writing(looseFile) { () throws(FileFailure) in
                try files.remove(looseFile)
                try files.write(lines, to: looseFile)
            }
        }
        report.audit = audit.account(looseFile)
        var transaction = ControlTransaction(target, eventLimit: SQLiteControlStore.defaultEventLimit)
        try transaction.carry(audit.chained)
        let entry = AuditEntry(
            at: time,
            actor: actor,
            action: "rebuildState",
            subject: "control.db",
            reason: report.lines.joined(separator: "; "),
            origin: "cli"
        )
        try transaction.apply(.audit(entry))
        let event = Event(
            at: time,
            severity: .warning,
            reason: "StateRebuilt",
            message: report.lines.joined(separator: "; ")
        )
        try transaction.apply(.event(event))
        _ = try transaction.finish()
    }
}
