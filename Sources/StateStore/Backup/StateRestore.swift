internal import Foundation
internal import GRDB
internal import Glibc
package import Planning
internal import Schema

/// `martlet restore`: puts a backup in the place of the state of a controller that does not run.
package enum StateRestore {
    /// What was restored, and where that lies which was there before.
    package struct Report: Sendable, Hashable {
        package var manifest: BackupManifest
        /// Nil when there was no state.
        package var aside: String?
        /// Whether the audit log in the backup is whole.
        package var audit: AuditVerification
    }

    /// Checks everything first, and changes the state only then; the state that is there is set aside, never removed.
    ///
    /// - Parameter replacing: whether a state that is there may be replaced; else it throws `StateExists`.
    ///
    /// Throws `BackupInvalid`, `BackupTooNew`, `StateTooNew`, `StateNotWritten` and others.
    package static func run(
        _ backup: String,
        into directory: StateDirectory,
        replacing: Bool,
        by actor: Actor,
        at time: Timestamp,
        files: FileOperations = .system
    ) throws -> Report {
        let path = directory.paths.controlDatabase
        let hasState = StateReplacement.suffixes.contains { access(path + $0, F_OK) == 0 }
        guard replacing || !hasState || StateReplacement.isUnfinished(path) else {
            throw MartletError(
                "StateExists",
                "there is state in '\(directory.paths.root)' already: with --force it is set aside, and what is in the "
                    + "backup takes its place"
            )
        }
        let place = try StateReplacement.emptyPlace(beside: path, files: files)
        defer { for suffix in StateReplacement.suffixes + ["-journal"] { unlink(place + suffix) } }
        let manifest = try self.extract(backup, to: place, directory.paths, files)
        let audit = try self.prepare(place, manifest, by: actor, at: time)
        let replacement = try StateReplacement(path: path, word: "before-restore", at: time, files: files)
        try replacement.setAside()
        let isAside = StateReplacement.suffixes.contains { access(replacement.aside + $0, F_OK) == 0 }
        try replacement.finish(with: place)
        return Report(manifest: manifest, aside: isAside ? replacement.aside : nil, audit: audit)
    }

    private static func extract(
        _ backup: String,
        to place: String,
        _ paths: StatePaths,
        _ files: FileOperations
    ) throws -> BackupManifest {
        guard access(backup, F_OK) == 0 else {
            throw MartletError("FileNotFound", "there is no backup at '\(backup)'")
        }
        do {
            return try DatabaseCheck.reading(backup) { database in
                let container = BackupFile(database: database)
                let manifest = try container.manifest(backup)
                for file in manifest.files {
                    guard let artifact = BackupFile.artifact(at: file.path) else {
                        try container.extract(file, to: place, from: backup, files)
                        continue
                    }
                    let target = "\(paths.artifacts)/\(artifact)"
                    // What is there is hashed before it is used, like everything in the folder.
                    guard access(target, F_OK) != 0 else { continue }
                    try container.extract(file, to: "\(target).unfinished", from: backup, files)
                    try StateReplacement.writing(target) { () throws(FileFailure) in
                        try files.changeMode("\(target).unfinished", to: 0o400)
                        try files.rename("\(target).unfinished", to: target)
                    }
                }
                return manifest
            }
        } catch let error as MartletError where error.code == "StateCorrupted" {
            throw BackupFile.invalid(backup, "it is damaged or no backup")
        }
    }

    /// Brings the database in the backup up to date, and has its audit log tell of the restoring.
    private static func prepare(
        _ place: String,
        _ manifest: BackupManifest,
        by actor: Actor,
        at time: Timestamp
    ) throws -> AuditVerification {
        guard try DatabaseCheck.exists(place) else { throw BackupFile.invalid(place, "it is empty") }
        let store = try SQLiteControlStore(path: place)
        defer { try? store.close() }
        _ = try (store.facts(), store.conditions())
        let audit = try store.verifyAudit()
        let reason = "backup of \(manifest.createdAt.compact) by Martlet \(manifest.version)"
        // Loads that were under way at the time of the backup did not end badly.
        let loads = try store.unfinishedLoads().map { FactChange.endLoading($0) }
        try store.write(
            loads + [
                .audit(
                    AuditEntry(
                        at: time,
                        actor: actor,
                        action: "restore",
                        subject: "control.db",
                        reason: reason,
                        origin: "cli"
                    )
                ),
                .event(Event(at: time, severity: .warning, reason: "StateRestored", message: reason)),
            ]
        )
        try store.moveLogIntoDatabase()
        return audit
    }
}
