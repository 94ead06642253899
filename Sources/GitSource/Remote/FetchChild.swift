internal import CLibGit2
internal import Glibc
internal import Schema
internal import Subprocess

/// The child's side of a fetch: performs one request within limits, and says on its standard output how it went.
package enum FetchChild {
    /// The hidden argument with which the executable becomes a fetch.
    package static let argument = "fetch-child"

    /// More memory of its own than this no honest pack needs.
    package static let mostMemory: UInt64 = 2 << 30

    /// Serves one request and ends the process.
    ///
    /// It ends as soon as its standard input closes, so it cannot outlive the process that started it.
    ///
    /// - Parameter mostMemory: in bytes; nil sets no bound.
    package static func run(mostMemory: UInt64? = FetchChild.mostMemory) -> Never {
        ChildService.serve { (request: FetchRequest) in
            if let mostMemory { ChildService.limit(.data, to: mostMemory) }
            FetchChild.limit(request)
            let folder = CloneFolder(path: request.clone)
            try folder.make()
            let lock = try folder.lock(waiting: true)
            defer { folder.unlock(lock) }
            folder.sweep()
            defer { folder.sweep() }
            try FetchChild.isolate(request, folder)
            switch request.task {
            case .fetch: return try CloneUpdate(request, folder).run()
            case .repack: return try CloneRepack(request, folder).run()
            }
        }
    }

    private static func limit(_ request: FetchRequest) {
        ChildService.limit(.core, to: 0)
        switch request.task {
        case .fetch:
            // A write beyond the limit fails, instead of ending the process without a word.
            signal(SIGXFSZ, SIG_IGN)
            ChildService.limit(.fileSize, to: UInt64(request.maxBytes) + (1 << 20))
            // Should the parent have been stopped, nobody else watches the clock.
            alarm(UInt32(clamping: request.seconds + 5))
        case .repack:
            break
        }
    }

    /// Keeps the user's git configuration, which may rewrite addresses, away from the network, and gives libgit2 the
    /// trusted host keys, which it reads from the home folder alone. Comes before libgit2 is started.
    ///
    /// Throws `AuthoritiesUnreadable`.
    private static func isolate(_ request: FetchRequest, _ folder: CloneFolder) throws {
        switch request.transport {
        case .file:
            // Whether a repository of somebody else may be read is said in the user's configuration.
            break
        case .http, .https, .ssh:
            let knownHosts = request.knownHosts ?? getenv("HOME").map { "\(String(cString: $0))/.ssh/known_hosts" }
            mkdir(folder.incoming, 0o700)
            mkdir(folder.home, 0o700)
            mkdir("\(folder.home)/.ssh", 0o700)
            if let knownHosts { symlink(knownHosts, "\(folder.home)/.ssh/known_hosts") }
            setenv("HOME", folder.home, 1)
            unsetenv("XDG_CONFIG_HOME")
        }
        _ = LibGit2.start
        martlet_git_set_fsync(1)
        guard request.transport == .https else { return }
        try FetchChild.trust(
            file: request.caFile ?? FetchChild.variable("SSL_CERT_FILE"),
            folder: request.caFile == nil ? FetchChild.variable("SSL_CERT_DIR") : nil
        )
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Trusts the certificate authorities of a file or a folder, where one is given, instead of the system's.
    private static func trust(file: String?, folder: String?) throws {
        guard file != nil || folder != nil, martlet_git_set_certificate_locations(file, folder) != 0 else { return }
        let places = [file, folder].compactMap(\.self).map { "'\($0)'" }.joined(separator: " and ")
        throw MartletError(
            "AuthoritiesUnreadable",
            "no certificate authority can be read from \(places): give a file with certificates in PEM "
                + "(--ca-file, 'caFile' of a source, or SSL_CERT_FILE)",
            disposition: .waiting
        )
    }
}
