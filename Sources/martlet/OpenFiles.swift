internal import Glibc
internal import Logging

/// The files and connections that this process may have open at once.
enum OpenFiles {
    /// What is open beside connections: databases, repositories, models, children.
    private static let reserve: rlim_t = 512

    /// Raises the process's limit as far as the system allows, and returns how many connections fit under it.
    ///
    /// - Parameter connections: how many are wanted.
    static func makeRoom(forConnections connections: Int, logger: Logger) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connections }
        let wanted = rlim_t(connections) + Self.reserve
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = min(limit.rlim_max, wanted)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        guard limit.rlim_cur < wanted else { return connections }
        let room = max(1, Int(limit.rlim_cur) - Int(Self.reserve))
        logger.warning(
            "the system allows fewer open files than there may be connections: raise 'ulimit -n'",
            metadata: ["files": "\(limit.rlim_cur)", "connections": "\(room)"]
        )
        return room
    }
}
