internal import Foundation
internal import GRDB
internal import Glibc
package import Planning
internal import Schema

/// `martlet backup`: the state of one moment in one file, whether a controller runs or not.
///
/// SQLite lets a reader see one consistent state beside whoever writes, so the running controller is not even asked.
package struct StateBackup: Sendable {
    private let paths: StatePaths
    private let files: FileOperations

    package init(_ paths: StatePaths, files: FileOperations = .system) {
        self.paths = paths
        self.files = files
    }

    /// Writes a backup that appears whole or not at all, and that nobody else may read.
    ///
    /// - Parameter replacing: whether a file that is there is replaced; else it throws `FileExists`.
    ///
    /// Throws `StateMissing`, `StateCorrupted` (a damaged state is not backed up), `FileNotWritten` and others.
    package func write(
        to target: String,
        withArtifacts: Bool,
        replacing: Bool,
        version: String,
        at time: Timestamp
    ) throws -> BackupManifest {
        guard replacing || access(target, F_OK) != 0 else { throw self.taken(target) }
        guard access(self.paths.controlDatabase, F_OK) == 0 else {
            throw MartletError(
                "StateMissing",
                "there is no state in '\(self.paths.root)': name the state directory of a controller with --state-dir"
            )
        }
        guard !StateReplacement.isUnfinished(self.paths.controlDatabase) else {
            throw StateReplacement.unfinished(self.paths.controlDatabase)
        }
        let unfinished = "\(target).\(String(UInt64.random(in: .min ... .max), radix: 36)).unfinished"
        let snapshot = "\(unfinished)-control"
        defer {
            for file in [unfinished, "\(unfinished)-journal", snapshot, "\(snapshot)-journal"] { _ = unlink(file) }
        }
        let schema = try self.takeSnapshot(snapshot, for: target)
        var manifest = BackupManifest(version: version, createdAt: time, schema: schema)
        try self.fill(unfinished, snapshot, withArtifacts, &manifest, target)
        try self.put(unfinished, at: target, replacing)
        return manifest
    }

    /// Copies the database as of one moment, compacted, and checks the copy.
    private func takeSnapshot(_ snapshot: String, for target: String) throws -> [String] {
        // SQLite takes an empty file for its copy, and this one nobody else may read.
        try self.writing(target) { () throws(FileFailure) in try self.files.write("", to: snapshot) }
        // Without a controller to keep it open, what SQLite needs to read the log may not be there yet.
        try DatabaseCheck.reading(self.paths.controlDatabase, mayShare: true) { database in
            do {
                try database.execute(sql: "VACUUM INTO ?", arguments: [snapshot])
            } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
                throw self.notWritten(target, "the disk is full")
            }
        }
        guard try DatabaseCheck.exists(snapshot) else { throw self.notWritten(target, "the snapshot is gone") }
        return try DatabaseCheck.reading(snapshot) { database in
            try String.fetchAll(database, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
        }
    }

    private func fill(
        _ unfinished: String,
        _ snapshot: String,
        _ withArtifacts: Bool,
        _ manifest: inout BackupManifest,
        _ target: String
    ) throws {
        try self.writing(target) { () throws(FileFailure) in try self.files.write("", to: unfinished) }
        do {
            let queue = try DatabaseQueue(path: unfinished)
            manifest.files = try queue.write { database in
                let backup = BackupFile(database: database)
                try backup.prepare()
                var added = [try backup.add(snapshot, as: BackupFile.controlDatabase)]
                if withArtifacts { added += try self.artifacts(into: backup) }
                var complete = manifest
                complete.files = added
                try backup.write(complete)
                return added
            }
            try queue.close()
        } catch let error as DatabaseError {
            throw self.notWritten(target, error.message ?? "\(error)")
        } catch let error as CocoaError {
            throw self.notWritten(target, error.localizedDescription)
        }
    }

    private func artifacts(into backup: BackupFile) throws -> [BackupManifest.File] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.paths.artifacts)) ?? []
        return try names.filter(CachedContent.isName).sorted().compactMap { name in
            do {
                return try backup.add("\(self.paths.artifacts)/\(name)", as: BackupFile.path(ofArtifact: name))
            } catch let error as CocoaError where error.code == .fileNoSuchFile || error.code == .fileReadNoSuchFile {
                // The controller just threw it away, since nothing needs it.
                return nil
            }
        }
    }

    private func put(_ unfinished: String, at target: String, _ replacing: Bool) throws {
        do {
            try self.files.sync(unfinished)
            if replacing {
                try self.files.rename(unfinished, to: target)
            } else {
                try self.files.link(unfinished, as: target)
            }
            try self.files.sync(StateReplacement.folder(of: target))
        } catch {
            throw error.error == EEXIST ? self.taken(target) : self.notWritten(target, error.reason)
        }
    }

    private func taken(_ target: String) -> MartletError {
        MartletError("FileExists", "'\(target)' is there already: choose another name, or replace it with --force")
    }

    private func notWritten(_ target: String, _ reason: String) -> MartletError {
        MartletError("FileNotWritten", "the backup '\(target)' cannot be written: \(reason)", disposition: .retryable)
    }

    private func writing<Result>(_ target: String, _ body: () throws(FileFailure) -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw self.notWritten(target, error.reason)
        }
    }
}
