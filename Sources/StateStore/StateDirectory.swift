internal import Glibc
internal import Schema

/// The state directory of the one controller that holds its lock.
///
/// The lock goes with this value, or with the process, however that ends.
package final class StateDirectory: Sendable {
    package let paths: StatePaths
    private let lock: FileLock

    /// Makes the directory where it is missing, locks it, and only then touches what is in it.
    ///
    /// Throws `StateDirectoryInUse`, naming the process that holds it, `StateDirectoryOpenToOthers` or
    /// `StateDirectoryNotWritable`.
    package init(_ paths: StatePaths, files: FileOperations = .system) throws {
        for folder in Self.folders(above: paths.root) + [paths.root] { try Self.makePrivateFolder(folder, files) }
        try Self.refuseOthersWriting(paths.root)
        self.lock = try FileLock(path: paths.lock)
        self.paths = paths
        for folder in [paths.run, paths.artifacts] {
            try Self.makePrivateFolder(folder, files)
            do {
                try files.changeMode(folder, to: 0o700)
            } catch {
                throw Self.notWritable(folder, error.error)
            }
        }
    }

    private static func folders(above path: String) -> [String] {
        RelativePath.names(of: path).dropLast().reduce(into: []) { folders, name in
            folders.append("\(folders.last ?? "")/\(name)")
        }
    }

    private static func makePrivateFolder(_ path: String, _ files: FileOperations) throws {
        do {
            try files.makeFolder(path)
        } catch {
            var status = stat()
            guard stat(path, &status) == 0 else { throw self.notWritable(path, error.error) }
            guard status.st_mode & S_IFMT == S_IFDIR else { throw self.notWritable(path, ENOTDIR) }
        }
    }

    /// Whoever may write in the directory could put a lock, a database or a socket of theirs in its place.
    private static func refuseOthersWriting(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw self.notWritable(path, errno) }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            let advice =
                self.isMartletsAlone(path, status)
                ? "run 'chmod 700 \(path)', or choose another --state-dir"
                : "choose a --state-dir that is Martlet's alone, such as '\(path == "/" ? "" : path)/martlet'"
            throw MartletError(
                "StateDirectoryOpenToOthers",
                "other users can write in the state directory '\(path)': \(advice)"
            )
        }
    }

    /// Whether nobody misses a folder that is closed to them: ours, not shared like `/tmp`, and empty or used as a state
    /// directory before.
    private static func isMartletsAlone(_ path: String, _ status: stat) -> Bool {
        guard status.st_uid == geteuid(), status.st_mode & S_ISVTX == 0 else { return false }
        if access("\(path)/control.db", F_OK) == 0 { return true }
        guard let folder = opendir(path) else { return false }
        defer { closedir(folder) }
        // An empty folder has two entries, itself and the one above.
        return readdir(folder) != nil && readdir(folder) != nil && readdir(folder) == nil
    }

    private static func notWritable(_ path: String, _ error: Int32) -> MartletError {
        MartletError(
            "StateDirectoryNotWritable",
            "the state directory cannot be made at '\(path)': \(String(cString: strerror(error))); choose another "
                + "with --state-dir"
        )
    }
}
