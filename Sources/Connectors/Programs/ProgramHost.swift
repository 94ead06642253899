internal import Dispatch
package import Logging
package import Planning
package import Schema
internal import Subprocess
internal import Synchronization

/// Runs the programs of chains: their files in folders of their own, their children warm and shut in.
package final class ProgramHost: ProgramCaller {
    /// How the machine treats programs.
    package struct Options: Sendable {
        /// Whether they run without a sandbox, trusted as if they were part of this one.
        package var allowsUnsandboxed: Bool
        /// Folders of the host that programs may read besides the system's: interpreters, libraries, data.
        package var readable: [String]

        package init(allowsUnsandboxed: Bool = false, readable: [String] = []) {
            self.allowsUnsandboxed = allowsUnsandboxed
            self.readable = readable
        }
    }

    /// What to do about a machine that forbids sandboxes.
    static let advice =
        ". Programs run only without network and shut in; allow martlet user namespaces (kernel 5.12 or newer), or, if every "
        + "program of the repository is to be trusted with all that martlet may do, start it with "
        + "--allow-unsandboxed-programs"

    private let files: ProgramFiles
    private let options: Options
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let pools = Mutex<[Digest: ProgramPool]>([:])

    /// - Parameters:
    ///   - folder: Where programs' files are kept; nobody else's.
    ///   - repository: Where they come from.
    package init(
        folder: String,
        repository: any SourceRepository,
        options: Options = Options(),
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "martlet.programs")
    ) {
        self.files = ProgramFiles(folder: folder, repository: repository)
        self.options = options
        self.clock = clock
        self.logger = logger
    }

    package func prepare(_ program: RevisionGraph.Program) async throws {
        try await self.blocking {
            try self.files.materialise(program)
            _ = try self.files.words(of: program)
            guard let problem = self.sandbox(for: program).obstacle() else { return }
            throw MartletError(
                "ProgramsForbidden",
                "\(program.words): \(problem)" + (problem.isForbidden ? Self.advice : "")
            )
        }
    }

    package func call(
        _ program: RevisionGraph.Program,
        input: JSONValue,
        timeout: Duration
    ) async throws -> JSONValue {
        let limit = min(timeout, program.timeout.duration)
        do {
            return try await withDeadline(limit, clock: self.clock) {
                try await self.pool(of: program).call(input)
            }
        } catch is DeadlineExceeded {
            let words = ManifestDuration(milliseconds: Int64(limit / .milliseconds(1)))
            throw OutboundFailure(.timedOut, "\(program.words) did not answer within \(words) and was ended")
        } catch let error as MartletError {
            throw OutboundFailure(.misconfigured, error.message)
        }
    }

    package func prune(keeping graphs: [RevisionGraph]) async {
        let programs = graphs.flatMap(\.programs)
        let (kept, contents) = (Set(programs.map(\.digest)), Set(programs.map(\.contentDigest)))
        let gone = self.pools.withLock { pools in
            let gone = pools.filter { !kept.contains($0.key) }
            for digest in gone.keys { pools[digest] = nil }
            return gone.values
        }
        for pool in gone { pool.close() }
        try? await self.blocking { self.files.prune(keeping: contents) }
    }

    /// Ends all children.
    package func shutdown() {
        let pools = self.pools.withLock { pools in
            defer { pools = [:] }
            return pools.values
        }
        for pool in pools { pool.close() }
    }

    private func pool(of program: RevisionGraph.Program) async throws -> ProgramPool {
        let digest = program.digest
        if let pool = self.pools.withLock({ $0[digest] }) { return pool }
        let words = try await self.blocking {
            try self.files.materialise(program)
            return try self.files.words(of: program)
        }
        let (sandbox, folder) = (self.sandbox(for: program), self.files.path(of: program))
        var logger = self.logger
        logger[metadataKey: "program"] = "\(program.files.path)"
        let pool = ProgramPool(words: program.words, clock: self.clock) { [logger] in
            WarmChild(words, in: folder, sandbox: sandbox, lineLimit: ProgramPool.lineLimit) { line in
                logger.debug("\(line)")
            }
        }
        return self.pools.withLock { pools in
            let known = pools[digest] ?? pool
            pools[digest] = known
            return known
        }
    }

    private func sandbox(for program: RevisionGraph.Program) -> Sandbox {
        Sandbox(
            root: self.options.allowsUnsandboxed ? nil : self.files.root,
            readable: Sandbox.systemFolders + self.options.readable,
            limits: Sandbox.Limits(memory: program.memory.bytes, processors: Int(program.cpu.rounded(.up)))
        )
    }

    /// Work that waits for disks, kept away from the threads that tasks share.
    private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
        }
    }
}
