internal import Schema

/// Where everything lies in a state directory; touches nothing.
package struct StatePaths: Sendable, Hashable {
    /// The most bytes that the address of a Unix socket takes, its final zero left out.
    package static let socketPathLimit = 107

    /// The state directory itself, absolute.
    package let root: String

    /// Takes an absolute path. Throws `SocketPathTooLong` when the admin socket could not be bound below it.
    package init(root: String) throws {
        self.root = root
        let length = self.adminSocket.utf8.count
        guard length <= Self.socketPathLimit else {
            throw MartletError(
                "SocketPathTooLong",
                "the admin socket would be '\(self.adminSocket)', which has \(length) bytes, and a Unix socket takes at "
                    + "most \(Self.socketPathLimit): choose a shorter --state-dir"
            )
        }
    }

    /// Finds the state directory: the option, else `$XDG_STATE_HOME/martlet`, else `$HOME/.local/state/martlet`.
    ///
    /// A relative option starts at `workingDirectory`; a relative `XDG_STATE_HOME` counts as unset, as its
    /// specification demands. Throws `StateDirectoryUnknown` when nothing says where.
    package static func resolve(
        option: String?,
        environment: [String: String],
        workingDirectory: String
    ) throws -> StatePaths {
        if let option {
            guard !option.isEmpty else {
                throw MartletError("StateDirectoryUnknown", "--state-dir is empty: give the path of a folder")
            }
            return try StatePaths(root: self.trimmed(option.hasPrefix("/") ? option : "\(workingDirectory)/\(option)"))
        }
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") {
            return try StatePaths(root: "\(self.trimmed(base))/martlet")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw MartletError(
                "StateDirectoryUnknown",
                "neither XDG_STATE_HOME nor HOME names a folder: say with --state-dir where state is kept"
            )
        }
        return try StatePaths(root: "\(self.trimmed(home))/.local/state/martlet")
    }

    /// Held by the controller for as long as it lives.
    package var lock: String { "\(self.root)/lock" }

    /// The folder of what only a running process needs.
    package var run: String { "\(self.root)/run" }

    /// The Unix socket of the admin API.
    package var adminSocket: String { "\(self.run)/admin.sock" }

    /// The folder of what checks of signatures read; nothing there outlasts a check.
    package var signatures: String { "\(self.run)/signatures" }

    /// The database of facts, events and the audit log.
    package var controlDatabase: String { "\(self.root)/control.db" }

    /// The database of what is written down of requests.
    package var recordDatabase: String { "\(self.root)/records.db" }

    /// The folder of verified artifacts.
    package var artifacts: String { "\(self.root)/artifacts" }

    /// The folder of the programs of chains.
    package var programs: String { "\(self.root)/programs" }

    /// The folder of what chains look things up in: indexes and rows, which can be made again from commits.
    package var indexes: String { "\(self.root)/indexes" }

    /// The folder of the clones of remote repositories.
    package var clones: String { "\(self.root)/clones" }

    /// Where secrets are looked for that are named by a file, unless `--secrets-dir` says otherwise.
    package var secrets: String { "\(self.root)/secrets" }

    private static func trimmed(_ path: String) -> String {
        var path = path[...]
        while path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }
}
