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
        /// Whether an earlier restore had been cut short, whose leavings are gone.
        package var wasCutShort: Bool
    }

    /// Checks everything first, and changes the state only then; the state that is there is set aside, never removed.
    ///
    /// Until all is checked it writes into one folder beside the state, which is of no concern to anybody else.
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
        let unfinished = "\(directory.paths.root)/restore.unfinished"
        let wasCutShort = access(unfinished, F_OK) == 0 || StateReplacement.isUnfinished(path)
        try? FileManager.default.removeItem(atPath: unfinished)
        defer { try? FileManager.default.removeItem(atPath: unfinished) }
        let (place, artifacts) = ("\(unfinished)/\(BackupFile.controlDatabase)", "\(unfinished)/artifacts")
        try StateReplacement.writing(unfinished) { () throws(FileFailure) in
            for folder in [unfinished, artifacts] { try files.makeFolder(folder) }
        }
        let manifest = try self.extract(backup, to: unfinished, files)
        let audit = try self.prepare(place, manifest, by: actor, at: time)
        // From here on nothing but the disk can be at fault. Artifacts are known by their content, and so change nothing.
        try self.moveArtifacts(of: manifest, from: artifacts, to: directory.paths.artifacts, files)
        let replacement = try StateReplacement(path: path, word: "before-restore", at: time, files: files)
        try replacement.setAside()
        let isAside = StateReplacement.suffixes.contains { access(replacement.aside + $0, F_OK) == 0 }
        try replacement.finish(with: place)
        return Report(
            manifest: manifest,
            aside: isAside ? replacement.aside : nil,
            audit: audit,
            wasCutShort: wasCutShort
        )
    }

    /// Writes all files of a backup below a folder, and checks them.
    private static func extract(
        _ backup: String,
        to folder: String,
        _ files: FileOperations
    ) throws -> BackupManifest {
        var status = stat()
        guard stat(backup, &status) == 0 else {
            throw MartletError("FileNotFound", "there is no backup at '\(backup)'")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let what = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "no file"
            throw MartletError(
                "BackupInvalid",
                "'\(backup)' is \(what): give the file that 'martlet backup' wrote; nothing was changed"
            )
        }
        do {
            return try DatabaseCheck.reading(backup) { database in
                let container = BackupFile(database: database)
                let manifest = try container.manifest(backup)
                for file in manifest.files {
                    try container.extract(file, to: "\(folder)/\(file.path)", from: backup, files)
                }
                return manifest
            }
        } catch let error as MartletError where error.code == "StateCorrupted" {
            throw BackupFile.invalid(backup, "it is damaged or no backup")
        }
    }

    private static func moveArtifacts(
        of manifest: BackupManifest,
        from folder: String,
        to target: String,
        _ files: FileOperations
    ) throws {
        try StateReplacement.writing(target) { () throws(FileFailure) in
            for name in manifest.files.compactMap({ BackupFile.artifact(at: $0.path) }) {
                try files.changeMode("\(folder)/\(name)", to: 0o400)
                try files.rename("\(folder)/\(name)", to: "\(target)/\(name)")
            }
            try files.sync(target)
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
