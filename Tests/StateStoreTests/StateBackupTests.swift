import Foundation
import GRDB
import Planning
import Schema
import Synchronization
import TestSupport
import Testing

@testable import StateStore

/// Backups, and what comes out of them again.
struct StateBackupTests {
    private let folder: TemporaryFolder
    private let paths: StatePaths
    private let time = Timestamp(milliseconds: 1_700_000_000_000)

    init() throws {
        self.folder = try TemporaryFolder()
        self.paths = try StatePaths(root: self.folder.file("state"))
    }

    private var target: String { self.folder.file("copy.backup") }

    private func backup(artifacts: Bool = false, replacing: Bool = false, files: FileOperations = .system) throws
        -> BackupManifest
    {
        try StateBackup(self.paths, files: files)
            .write(to: self.target, withArtifacts: artifacts, replacing: replacing, version: "1.2.3", at: self.time)
    }

    private func restore(replacing: Bool = false, files: FileOperations = .system) throws -> StateRestore.Report {
        let directory = try StateDirectory(self.paths)
        defer { withExtendedLifetime(directory) {} }
        return try StateRestore.run(
            self.target,
            into: directory,
            replacing: replacing,
            by: Actor("ada"),
            at: self.time,
            files: files
        )
    }

    /// A state with some contents, and what they are.
    @discardableResult
    private func fill(transactions: Int = 30, seed: UInt64 = 7) throws -> StoreContents {
        let directory = try StateDirectory(self.paths)
        let store = try SQLiteControlStore(path: self.paths.controlDatabase)
        var random = RandomChanges(seed: seed)
        for _ in 0..<transactions { try store.write(try random.transaction()) }
        try store.write([.beginLoading(Samples.instance(1)), .audit(Samples.audit(1))])
        let contents = try StoreContents(of: store)
        try store.close()
        withExtendedLifetime(directory) {}
        return contents
    }

    private func contents() throws -> StoreContents {
        try StoreContents(of: SQLiteControlStore(path: self.paths.controlDatabase))
    }

    /// Without what restoring itself writes.
    private func withoutTraces(_ contents: StoreContents) -> StoreContents {
        var contents = contents
        contents.audit.removeAll { $0.action == "restore" }
        contents.events.removeAll { $0.reason == "StateRestored" }
        return contents
    }

    @Test("what is restored is what was backed up, and the log tells of it", arguments: [false, true])
    func roundTrip(isRunning: Bool) throws {
        var before = try self.fill()
        // A running controller's latest changes are only in the log of the database.
        let running = isRunning ? try SQLiteControlStore(path: self.paths.controlDatabase) : nil
        try running?.write([.event(Samples.event(1)), .suspend(.everything)])
        if let running { before = try StoreContents(of: running) }
        let manifest = try self.backup()
        try running?.write([.resume(.everything), .event(Samples.event(2))])
        try running?.close()
        #expect(manifest.files.map(\.path) == ["control.db"])
        #expect(manifest.version == "1.2.3" && manifest.createdAt == self.time)
        let mode = try FileManager.default.attributesOfItem(atPath: self.target)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try self.folder.names() == ["copy.backup", "state"], "nothing unfinished is left")

        try FileManager.default.removeItem(atPath: self.paths.root)
        let report = try self.restore()
        #expect(report.manifest == manifest)
        #expect(report.aside == nil)
        #expect(report.audit.brokenAt == nil)
        let after = try self.contents()
        #expect(after.loads.isEmpty, "loads that were under way are no crashes")
        var expected = before
        expected.loads = []
        for instance in before.loads { expected.facts.cutShort[instance] = nil }
        #expect(self.withoutTraces(after) == expected)
        #expect(after.audit.first?.action == "restore")
        #expect(try SQLiteControlStore(path: self.paths.controlDatabase).verifyAudit().brokenAt == nil)
    }

    private let blob = "git-\(Samples.object(1))"
    private let sha = "sha256-\(Digest(of: "x".utf8).hex)"
    private let large = [UInt8](repeating: 7, count: BackupFile.pieceSize * 2 + 5)

    private func fillArtifacts() throws {
        for (name, bytes) in [(blob, large), (sha, Array("x".utf8)), ("\(blob).abc.unfinished", [1])] {
            try Data(bytes).write(to: URL(filePath: "\(self.paths.artifacts)/\(name)"))
        }
    }

    private func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("artifacts come along when they are asked for")
    func artifacts() throws {
        try self.fill()
        try self.fillArtifacts()
        let manifest = try self.backup(artifacts: true)
        #expect(manifest.files.map(\.path) == ["control.db", "artifacts/\(blob)", "artifacts/\(sha)"])
        try FileManager.default.removeItem(atPath: self.paths.root)
        _ = try self.restore()
        #expect(try Data(contentsOf: URL(filePath: "\(self.paths.artifacts)/\(blob)")) == Data(large))
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.paths.artifacts).sorted() == [blob, sha])
    }

    @Test("neither a file nor a state is replaced unasked, and a state is kept even then")
    func replacing() throws {
        let first = try self.fill(seed: 1)
        _ = try self.backup()
        let kept = try self.folder.read("copy.backup")
        #expect((#expect(throws: MartletError.self) { try self.backup() })?.code == "FileExists")
        #expect(try self.folder.read("copy.backup") == kept)

        try self.fill(seed: 2)
        let second = try self.contents()
        #expect((#expect(throws: MartletError.self) { try self.restore() })?.code == "StateExists")
        #expect(try self.contents() == second)
        let report = try self.restore(replacing: true)
        let aside = try #require(report.aside)
        #expect(try StoreContents(of: SQLiteControlStore(path: aside)) == second)
        #expect(self.withoutTraces(try self.contents()).events == first.events)
        _ = try self.backup(replacing: true)
        #expect(try self.folder.read("copy.backup") != kept)
    }

    @Test("no controller's state is restored under it")
    func running() throws {
        try self.fill()
        _ = try self.backup()
        let directory = try StateDirectory(self.paths)
        let error = #expect(throws: MartletError.self) { try self.restore(replacing: true) }
        #expect(error?.code == "StateDirectoryInUse")
        withExtendedLifetime(directory) {}
    }

    @Test(
        "a backup that is not what it was is refused, and the state stays",
        arguments: [
            ("UPDATE pieces SET bytes = CAST(bytes || 'x' AS BLOB) WHERE number = 0", "longer"),
            ("DELETE FROM pieces", "SHA-256"), ("DELETE FROM manifest", "manifest"),
            ("UPDATE manifest SET manifest = replace(manifest, 'control.db', '../../control.db')", "manifest"),
            ("PRAGMA application_id = 7", "no backup"),
        ]
    )
    func tampered(sql: String, words: String) throws {
        try self.fill()
        let before = try self.contents()
        _ = try self.backup()
        let database = try DatabaseQueue(path: self.target)
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
        try database.close()
        let error = #expect(throws: MartletError.self) { try self.restore(replacing: true) }
        #expect(error?.code == "BackupInvalid")
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(try self.contents() == before)
    }

    @Test(
        "an artifact in a backup that is not what it was keeps all of it out",
        arguments: [
            ("UPDATE pieces SET bytes = CAST('y' AS BLOB) WHERE path LIKE 'artifacts/sha256-%'", "SHA-256"),
            ("INSERT INTO pieces SELECT path, 3, bytes FROM pieces WHERE path LIKE '%/git-%' AND number = 0", "longer"),
            ("UPDATE pieces SET bytes = zeroblob(9000000) WHERE path LIKE '%/git-%' AND number = 0", "SHA-256"),
            ("UPDATE manifest SET manifest = replace(manifest, 'artifacts/git-', 'artifacts/../git-')", "manifest"),
            ("UPDATE manifest SET manifest = replace(manifest, 'artifacts/git-', 'artifacts/\u{301}git-')", "manifest"),
        ]
    )
    func tamperedArtifact(sql: String, words: String) throws {
        try self.fill()
        try self.fillArtifacts()
        _ = try self.backup(artifacts: true)
        let database = try DatabaseQueue(path: self.target)
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
        try database.close()
        try FileManager.default.removeItem(atPath: self.paths.root)
        try self.fill()
        let names = try self.names(in: self.paths.root)
        let error = #expect(throws: MartletError.self) { try self.restore(replacing: true) }
        #expect(error?.code == "BackupInvalid" && error?.message.contains(words) == true, "\(error as Any)")
        #expect(try self.names(in: self.paths.artifacts) == [])
        #expect(try self.names(in: self.paths.root) == names)
    }

    @Test("a folder is no backup, and is called one", arguments: [("", "a folder"), ("pipe", "no file")])
    func notAFile(name: String, what: String) throws {
        let folder = try TemporaryFolder()
        let path = name.isEmpty ? folder.path : folder.file(name)
        if !name.isEmpty { #expect(mkfifo(path, 0o600) == 0) }
        let directory = try StateDirectory(self.paths)
        let error = #expect(throws: MartletError.self) {
            try StateRestore.run(path, into: directory, replacing: true, by: Actor("ada"), at: self.time)
        }
        #expect(error?.code == "BackupInvalid")
        #expect(error?.message.contains("'\(path)' is \(what)") == true, "\(error?.message ?? "")")
    }

    @Test("what is longer than it should be is not written to its end")
    func longerThanItSays() throws {
        try self.fill()
        try self.fillArtifacts()
        _ = try self.backup(artifacts: true)
        let database = try DatabaseQueue(path: self.target)
        let size = "\"size\":\(self.large.count)"
        try database.writeWithoutTransaction {
            try $0.execute(sql: "UPDATE manifest SET manifest = replace(manifest, ?, '\"size\":5')", arguments: [size])
        }
        try database.close()
        let written = Mutex(0)
        let files = FileOperations { call, path in
            if call == .write && path.hasSuffix(self.blob) { written.withLock { $0 += 1 } }
            return 0
        }
        let error = #expect(throws: MartletError.self) { try self.restore(replacing: true, files: files) }
        #expect(error?.message.contains("longer than 5 bytes") == true, "\(error as Any)")
        #expect(written.withLock { $0 } == 0)
    }

    @Test("what a restore left that was killed is in nobody's way, and the next one says so")
    func killedWhileItExtracted() throws {
        let first = try self.fill(seed: 1)
        _ = try self.backup()
        try self.fill(seed: 2)
        let second = try self.contents()
        let leavings = "\(self.paths.root)/restore.unfinished"
        try FileManager.default.createDirectory(atPath: "\(leavings)/artifacts", withIntermediateDirectories: true)
        try Data("half".utf8).write(to: URL(filePath: "\(leavings)/control.db"))
        #expect(try self.contents() == second)
        #expect(try self.restore(replacing: true).wasCutShort)
        #expect(self.withoutTraces(try self.contents()).events == first.events)
        #expect(!FileManager.default.fileExists(atPath: leavings))
        #expect(try !self.restore(replacing: true).wasCutShort)
    }

    @Test("files that are no backups, and backups of newer versions, are refused")
    func refused() throws {
        try self.fill()
        for bytes in [Array("nothing".utf8), [], [UInt8](repeating: 9, count: 9000)] {
            try self.folder.write("copy.backup", bytes)
            #expect((#expect(throws: MartletError.self) { try self.restore(replacing: true) })?.code == "BackupInvalid")
        }
        try FileManager.default.removeItem(atPath: self.target)
        #expect((#expect(throws: MartletError.self) { try self.restore(replacing: true) })?.code == "FileNotFound")

        _ = try self.backup()
        let database = try DatabaseQueue(path: self.target)
        try database.write { try $0.execute(sql: "UPDATE manifest SET manifest = json_set(manifest, '$.format', 2)") }
        try database.close()
        #expect((#expect(throws: MartletError.self) { try self.restore(replacing: true) })?.code == "BackupTooNew")

        let live = try DatabaseQueue(path: self.paths.controlDatabase)
        try live.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 later')") }
        try live.close()
        #expect((#expect(throws: MartletError.self) { try self.backup(replacing: true) })?.code == "StateTooNew")
    }

    @Test("a damaged state is not backed up, and neither is none")
    func nothingToBackUp() throws {
        #expect((#expect(throws: MartletError.self) { try self.backup() })?.code == "StateMissing")
        try self.fill()
        try Data("junk".utf8).write(to: URL(filePath: self.paths.controlDatabase))
        #expect((#expect(throws: MartletError.self) { try self.backup() })?.code == "StateCorrupted")
        #expect(try self.folder.names() == ["state"])
    }

    @Test("a backup that fails at any call leaves no file and no trace")
    func everyCallOfABackupFails() throws {
        try self.fill()
        let before = try self.contents()
        for failing in 1...50 {
            let fault = CountedFault(failing)
            let outcome = Result { try self.backup(files: fault.files) }
            guard fault.hasFired else {
                #expect(failing > 3)
                return
            }
            let error = #expect(throws: MartletError.self) { try outcome.get() }
            #expect(error?.code == "FileNotWritten")
            // Only the last call, which makes the name durable, comes after the file is there: whole.
            try? FileManager.default.removeItem(atPath: self.target)
            #expect(try self.folder.names() == ["state"], "call \(failing)")
            #expect(try self.contents() == before)
        }
        Issue.record("it never succeeded")
    }

    @Test("a restore that fails at any call, or is cut short there, is finished by the next one")
    func everyCallOfARestoreFails() throws {
        let first = try self.fill(seed: 1)
        try self.fillArtifacts()
        _ = try self.backup(artifacts: true)
        for failing in 1...80 {
            try? FileManager.default.removeItem(atPath: self.paths.root)
            try self.fill(seed: 2)
            let second = try self.contents()
            let fault = CountedFault(failing)
            let outcome = Result { try self.restore(replacing: true, files: fault.files) }
            if fault.hasFired {
                if case .failure = outcome {
                    // Either nothing has happened yet, or nobody may start on what is there.
                    if let found = try? self.contents() { #expect(found == second, "call \(failing)") }
                    let isTaken = StateReplacement.isUnfinished(self.paths.controlDatabase)
                    #expect(try self.restore(replacing: true).wasCutShort == isTaken)
                }
            }
            #expect(self.withoutTraces(try self.contents()).events == first.events, "call \(failing)")
            #expect(try self.names(in: self.paths.artifacts) == [self.blob, self.sha])
            let asides = try FileManager.default.contentsOfDirectory(atPath: self.paths.root)
                .filter { $0.hasPrefix("control.db.before-restore-") && $0.hasSuffix("Z") }
            let aside = try #require(asides.first)
            #expect(try StoreContents(of: SQLiteControlStore(path: "\(self.paths.root)/\(aside)")) == second)
            guard fault.hasFired else {
                #expect(failing > 20)
                return
            }
        }
        Issue.record("it never succeeded")
    }
}
