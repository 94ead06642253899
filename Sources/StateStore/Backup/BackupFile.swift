internal import Foundation
internal import GRDB
internal import Glibc
internal import Planning
internal import Schema

/// The one file of a backup: an SQLite database that holds other files in pieces.
///
/// So that nothing more than what reads the state is needed to read its backup, and that SQLite's own tools can. Tables:
/// `manifest` (one row of JSON), `pieces` (path, number, bytes).
struct BackupFile {
    /// Which SQLite databases are backups: `MTLB`.
    static let applicationID = 0x4D54_4C42
    /// In bytes.
    static let pieceSize = 1 << 20
    /// How the control database is called in there.
    static let controlDatabase = "control.db"
    private static let artifactFolder = "artifacts"

    let database: Database

    /// Makes the tables of an empty backup.
    func prepare() throws {
        try self.database.execute(
            sql: """
                PRAGMA application_id = \(BackupFile.applicationID);
                CREATE TABLE manifest (id INTEGER PRIMARY KEY CHECK (id = 1), manifest TEXT NOT NULL) STRICT;
                CREATE TABLE pieces (
                    path TEXT NOT NULL,
                    number INTEGER NOT NULL,
                    bytes BLOB NOT NULL,
                    PRIMARY KEY (path, number)
                ) STRICT;
                """
        )
    }

    /// Takes a file in, under a name of its own.
    func add(_ source: String, as path: String) throws -> BackupManifest.File {
        let handle = try FileHandle(forReadingFrom: URL(filePath: source))
        defer { try? handle.close() }
        var hasher = ContentHasher.sha256()
        var (size, number) = (Int64(0), 0)
        while let piece = try handle.read(upToCount: BackupFile.pieceSize), !piece.isEmpty {
            piece.withUnsafeBytes { hasher.update($0) }
            try self.database.execute(
                sql: "INSERT INTO pieces VALUES (?, ?, ?)",
                arguments: [path, number, piece]
            )
            size += Int64(piece.count)
            number += 1
        }
        return BackupManifest.File(path: path, size: size, sha256: try BackupFile.digest(hasher.finish()))
    }

    func write(_ manifest: BackupManifest) throws {
        try self.database.execute(
            sql: "INSERT INTO manifest VALUES (1, ?)",
            arguments: [try StoredJSON.encode(manifest)]
        )
    }

    /// What the backup says about itself. Throws `BackupInvalid` when this is none, `BackupTooNew`.
    func manifest(_ path: String) throws -> BackupManifest {
        guard try Int.fetchOne(self.database, sql: "PRAGMA application_id") == BackupFile.applicationID else {
            throw BackupFile.invalid(path, "it is no backup of Martlet")
        }
        let text = try String.fetchOne(self.database, sql: "SELECT manifest FROM manifest") ?? ""
        struct Format: Decodable { var format: Int }
        let format = try? JSONDecoder().decode(Format.self, from: Data(text.utf8)).format
        guard format ?? 0 <= BackupManifest.newestFormat else {
            throw MartletError("BackupTooNew", "'\(path)' was written by a newer Martlet: restore it with that version")
        }
        guard let manifest = try? StoredJSON.decode(BackupManifest.self, text, in: "manifest"),
            manifest.files.contains(where: { $0.path == BackupFile.controlDatabase }),
            manifest.files.allSatisfy({ BackupFile.isKnown($0.path) }),
            Set(manifest.files.map(\.path)).count == manifest.files.count
        else { throw BackupFile.invalid(path, "its manifest cannot be read") }
        return manifest
    }

    /// Writes a file of the backup to where nothing is, and compares it with what the manifest says; no byte more.
    func extract(_ file: BackupManifest.File, to target: String, from path: String, _ files: FileOperations) throws {
        let descriptor = try StateReplacement.writing(target) { () throws(FileFailure) in try files.create(target) }
        defer { close(descriptor) }
        var hasher = ContentHasher.sha256()
        var size = Int64(0)
        let pieces = try Row.fetchCursor(
            self.database,
            sql: "SELECT bytes FROM pieces WHERE path = ? AND length(bytes) <= ? ORDER BY number",
            arguments: [file.path, BackupFile.pieceSize]
        )
        while let row = try pieces.next() {
            let piece = Data.fromDatabaseValue(row[0]) ?? Data()
            size += Int64(piece.count)
            guard size <= file.size else { break }
            try piece.withUnsafeBytes { bytes in
                hasher.update(bytes)
                try StateReplacement.writing(target) { () throws(FileFailure) in
                    try files.write(bytes, to: descriptor, target)
                }
            }
        }
        guard size == file.size, try BackupFile.digest(hasher.finish()) == file.sha256 else {
            let why = size > file.size ? "it is longer than \(file.size) bytes" : "its SHA-256 differs"
            throw BackupFile.invalid(path, "'\(file.path)' in it is not what was put there: \(why)")
        }
        try StateReplacement.writing(target) { () throws(FileFailure) in try files.sync(descriptor, target) }
    }

    /// The name in a backup of an artifact's file, and back.
    static func path(ofArtifact name: String) -> String { "\(BackupFile.artifactFolder)/\(name)" }

    static func artifact(at path: String) -> String? {
        RelativePath.path(path, below: BackupFile.artifactFolder)
    }

    static func invalid(_ path: String, _ why: String) -> MartletError {
        MartletError("BackupInvalid", "'\(path)' cannot be restored: \(why); use another backup, nothing was changed")
    }

    /// No name may lead out of the state directory.
    private static func isKnown(_ path: String) -> Bool {
        path == BackupFile.controlDatabase || BackupFile.artifact(at: path).map(CachedContent.isName) ?? false
    }

    private static func digest(_ hex: String) throws -> Digest {
        guard let digest = Digest(hex: hex) else { throw MartletError("Unexpected", "'\(hex)' is no digest") }
        return digest
    }
}
