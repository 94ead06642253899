internal import Glibc
internal import Logging
internal import Schema

/// The file of a Unix socket.
enum SocketFile {
    /// What `sockaddr_un` holds, without the closing zero byte.
    static let longestPath = 107

    /// Throws `SocketPathTooLong` for a path that no socket can have, `CannotListen` where something else stands.
    static func check(_ path: String) throws {
        guard path.utf8.count <= self.longestPath else {
            throw MartletError(
                "SocketPathTooLong",
                "The socket path '\(path)' has \(path.utf8.count) bytes; the system takes \(self.longestPath). "
                    + "Choose a shorter --state-dir."
            )
        }
        guard self.type(at: path).map({ $0 == S_IFSOCK }) ?? true else {
            throw MartletError("CannotListen", "cannot listen on \(path): something else stands there; move it away")
        }
    }

    /// What stands at a path; nil for nothing.
    private static func type(at path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Lets only the owner connect. The folder around it keeps others out until this is done.
    static func restrict(_ path: String, logger: Logger) {
        guard chmod(path, 0o600) == 0 else {
            logger.error(
                "could not restrict the socket to its owner",
                metadata: ["path": "\(path)", "errno": "\(errno)"]
            )
            return
        }
    }

    /// Makes the folder of a socket, for its owner alone, unless it is there.
    static func makeFolder(of path: String) {
        mkdir(RelativePath.split(path).folder, 0o700)
    }

    /// Returns true when a server that listens has its file no more, false when cancelled.
    static func waitForRemoval(_ path: String, isListening: @Sendable () -> Bool) async -> Bool {
        while !Task.isCancelled && !isListening() { try? await Task.sleep(for: .milliseconds(10)) }
        while !Task.isCancelled && access(path, F_OK) == 0 { try? await Task.sleep(for: .seconds(1)) }
        return !Task.isCancelled
    }

    /// Takes the file of a closed socket away.
    static func remove(_ path: String) {
        if self.type(at: path) == S_IFSOCK { unlink(path) }
    }
}
