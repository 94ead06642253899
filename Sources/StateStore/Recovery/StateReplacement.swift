internal import Foundation
internal import Glibc
internal import Planning
internal import Schema

/// Puts another database in the place of `control.db`, and keeps the old one under a name of its own.
///
/// It may be cut short anywhere: a marker, written first and removed last, makes every start refuse the half-replaced
/// state, and the same command goes on where the last one stopped. The old files are renamed, never written to.
struct StateReplacement {
    /// The database that is replaced.
    let path: String
    /// Where the old one lies: its log beside it, so that SQLite's own tools can open it.
    let aside: String
    private let files: FileOperations

    /// The suffixes of the files that make up one database.
    static let suffixes = ["", "-wal", "-shm"]

    /// Begins, or goes on with what was begun before under another name.
    ///
    /// - Parameter word: why the old one is put aside: `corrupt`, `before-restore`.
    init(path: String, word: String, at time: Timestamp, files: FileOperations) throws {
        self.path = path
        self.files = files
        let marker = Self.marker(of: path)
        if let text = try? String(contentsOfFile: marker, encoding: .utf8), text.hasSuffix("\n") {
            self.aside = "\(path).\(text.dropLast())"
            return
        }
        let name = Self.freeName(path, "\(word)-\(time.compact)")
        self.aside = "\(path).\(name)"
        try Self.writing(path) { () throws(FileFailure) in
            try files.remove(marker)
            try files.write("\(name)\n", to: marker)
            try files.sync(Self.folder(of: path))
        }
    }

    /// Whether a replacement of this database was cut short.
    static func isUnfinished(_ path: String) -> Bool {
        access(self.marker(of: path), F_OK) == 0
    }

    static func unfinished(_ path: String) -> MartletError {
        MartletError(
            "StateReplacementUnfinished",
            "'\(path)' was being replaced when that was cut short: run the same 'martlet restore' again, or 'martlet run "
                + "--rebuild-state'"
        )
    }

    /// Puts the old files aside. Nobody may have them open.
    func setAside() throws {
        try Self.writing(self.path) { () throws(FileFailure) in
            // The database goes first, and its replacement comes without a log: so a database that is found while
            // something is aside already is what an earlier try put there.
            let isReplaced = access(self.aside, F_OK) == 0 || access("\(self.aside)-wal", F_OK) == 0
            if isReplaced, access(self.path, F_OK) == 0 {
                let name = Self.freeName(self.path, "unfinished")
                try self.files.rename(self.path, to: "\(self.path).\(name)")
            }
            for suffix in Self.suffixes where access(self.path + suffix, F_OK) == 0 {
                try self.files.rename(self.path + suffix, to: self.aside + suffix)
            }
            try self.files.sync(Self.folder(of: self.path))
        }
    }

    /// Puts a closed database in the place, and ends.
    func finish(with replacement: String) throws {
        var log = stat()
        guard stat("\(replacement)-wal", &log) != 0 || log.st_size == 0 else {
            throw MartletError("StateFailed", "'\(replacement)' cannot be moved: its log holds what it lacks")
        }
        try Self.writing(self.path) { () throws(FileFailure) in
            try self.files.sync(replacement)
            try self.files.rename(replacement, to: self.path)
            try self.files.sync(Self.folder(of: self.path))
            try self.files.remove(Self.marker(of: self.path))
        }
        // Should lost power bring the marker back, what is in place then is kept too.
        try? self.files.sync(Self.folder(of: self.path))
    }

    /// A path for a new database, with nothing there.
    static func emptyPlace(beside path: String, files: FileOperations) throws -> String {
        let place = "\(path).new"
        try self.writing(path) { () throws(FileFailure) in
            for suffix in self.suffixes + ["-journal"] { try files.remove(place + suffix) }
        }
        return place
    }

    static func folder(of path: String) -> String {
        URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    }

    private static func marker(of path: String) -> String { "\(path).replacing" }

    private static func freeName(_ path: String, _ wanted: String) -> String {
        var (name, number) = (wanted, 1)
        while access("\(path).\(name)", F_OK) == 0 || access("\(path).\(name)-wal", F_OK) == 0 {
            number += 1
            name = "\(wanted)-\(number)"
        }
        return name
    }

    /// Translates what file operations report.
    static func writing<Result>(_ path: String, _ body: () throws(FileFailure) -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            let isPassing = [ENOSPC, EDQUOT, EIO, EFBIG].contains(error.error)
            throw MartletError(
                isPassing ? "StateNotWritten" : "StateNotWritable",
                "'\(path)' cannot be written: \(error.path): \(error.reason); see to the disk and its permissions, then do "
                    + "the same again",
                disposition: .retryable
            )
        }
    }
}

extension Timestamp {
    /// For file names: `20260131T235959Z`.
    var compact: String {
        Date(timeIntervalSince1970: self.seconds)
            .formatted(Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted))
    }
}
