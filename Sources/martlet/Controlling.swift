internal import Commands
internal import Connectors
internal import Controller
internal import Engines
internal import Foundation
internal import Gateway
internal import GitSource
internal import Logging
internal import ManifestYAML
internal import Planning
internal import Retrieval
internal import Schema
internal import ServiceLifecycle
internal import Serving
internal import StateStore
internal import UnixSignals

/// `martlet run`: fills the ports, and starts the parts in the order in which they need each other.
enum Controlling {
    static func run(
        _ options: RunOptions,
        environment: [String: String]
    ) async throws {
        // A client that hangs up in the middle of an answer must not end the process.
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow any more is an error to report, no reason to die.
        signal(SIGXFSZ, SIG_IGN)
        MemoryTrim.prepare()
        let logger = Controlling.logger(options)
        let state = try StateDirectory(
            Martlet.paths(stateDirectory: options.stateDirectory, environment: environment)
        )
        if options.rebuildsState { try StateVerbs.rebuild(state, environment: CommandEnvironment.current) }
        let secrets = SecretReader(
            environment: environment,
            folder: options.secretsDirectory ?? state.paths.secrets
        )
        let engines = EngineDirectory(
            searchPath: EngineDirectory.searchPath(environment: environment),
            builtIn: EngineDirectory.builtIn(secret: secrets.read)
        )
        let store = try SQLiteControlStore(path: state.paths.controlDatabase)
        let records = try Controlling.records(state.paths, store, logger)
        let sources = try FollowedSources(
            options,
            in: state.paths,
            secrets: secrets,
            waits: !store.commits(limit: 1).isEmpty
        )
        let crashNote = "\(state.paths.run)/crashed"
        let (memoryNote, kills) = ("\(state.paths.run)/memory-kills", MemoryKills.now())
        let wasShort = kills?.haveGrown(since: MemoryKills.read(from: memoryNote)) ?? false
        let lastEnd: LastEnd = CrashNote.exists(at: crashNote) ? .crashed : wasShort ? .shortOfMemory : .fromOutside
        CrashNote.arm(at: crashNote)
        defer { CrashNote.disarm() }
        let programs = Controlling.programHost(options, state, sources.repository, logger)
        defer { programs.shutdown() }
        let artifacts = ArtifactCache(folder: state.paths.artifacts, repository: sources.repository)
        let lookups = Controlling.lookups(state, sources, artifacts)
        let server = InferenceServer(
            engines: engines,
            wallClock: SystemClock(),
            logger: logger,
            memoryBudget: options.memoryBudget?.bytes,
            lookups: lookups,
            records: records,
            http: Controlling.httpCaller(secrets),
            programs: programs
        )
        let reconciler = try Reconciler(
            ports: Controlling.ports(
                options,
                sources,
                store,
                server,
                engines,
                artifacts,
                lookups,
                programs,
                environment
            ),
            version: Martlet.version,
            memoryBudget: options.memoryBudget?.bytes,
            lastEnd: lastEnd,
            logger: logger
        )
        // What was written down is read before any door opens: a state that cannot be used ends here.
        if try await reconciler.recover() {
            CrashNote.takeAway(at: crashNote)
            try kills?.write(to: memoryNote)
        }
        let services = try Controlling.services(
            options,
            state,
            store,
            records,
            sources,
            reconciler,
            server,
            secrets,
            logger
        )
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        configuration.maximumCancellationDuration = .seconds(10)
        try await ServiceGroup(configuration: configuration).run()
        try await records.close()
        try store.close()
        // The lock on the state directory is held until everything else has ended.
        withExtendedLifetime(state) {}
    }

    private static func lookups(
        _ state: StateDirectory,
        _ sources: FollowedSources,
        _ artifacts: ArtifactCache
    ) -> IndexStore {
        let documents = CommitArtifacts(repository: sources.repository, commit: "")
        return IndexStore(
            folder: state.paths.indexes,
            read: { try documents.read($0) },
            artifacts: artifacts,
            wallClock: SystemClock()
        )
    }

    private static func ports(
        _ options: RunOptions,
        _ sources: FollowedSources,
        _ store: SQLiteControlStore,
        _ server: InferenceServer,
        _ engines: EngineDirectory,
        _ artifacts: ArtifactCache,
        _ lookups: IndexStore,
        _ programs: any ProgramCaller,
        _ environment: [String: String]
    ) throws -> Reconciler.Ports {
        let probe = ProbeProcess(
            executable: try Controlling.executable(),
            searchPath: EngineDirectory.searchPath(environment: environment)
        )
        return Reconciler.Ports(
            source: DesiredStateReader(
                repository: sources.repository,
                place: sources.place,
                namespace: sources.namespace,
                policy: options.sync,
                engines: Set(engines.reports().map(\.name)),
                policies: options.policies,
                signatures: SignatureGuard(
                    repository: sources.repository,
                    verifiers: sources.verifiers,
                    demand: options.signatures,
                    policies: options.policies
                ),
                scopes: sources.scopes
            ),
            store: store,
            runtime: server,
            engines: engines,
            executor: PlanExecutor(
                runtime: server,
                artifacts: artifacts,
                probe: probe,
                store: store,
                lookups: lookups,
                programs: programs
            ),
            wallClock: SystemClock(),
            clock: ContinuousClock(),
            jitter: { Double.random(in: 0...1) }
        )
    }

    /// They are stopped from the last to the first: the loop, so that nothing new is begun; then answers under way may
    /// finish; then the doors close.
    private static func services(
        _ options: RunOptions,
        _ state: StateDirectory,
        _ store: SQLiteControlStore,
        _ records: SQLiteRecordStore,
        _ sources: FollowedSources,
        _ reconciler: Reconciler,
        _ server: InferenceServer,
        _ secrets: SecretReader,
        _ logger: Logger
    ) throws -> [any Service] {
        let data = DataPlane(
            service: server,
            defaultNamespace: options.namespace,
            maxBodyBytes: Int(options.limits.maxBody.bytes),
            clock: SystemClock(),
            records: records,
            version: Martlet.version
        )
        let servers = GatewayServers(limits: Controlling.limits(options.limits, logger), logger: logger)
        let metrics = MetricsPlane(
            metrics: {
                server.metrics.families + (await reconciler.metrics).families + servers.connections.families
                    + records.figures.families
            },
            readiness: { await Readiness.report(of: reconciler) }
        )
        let addresses = AddressFile(
            path: "\(state.paths.run)/addresses.json",
            count: options.hooks == nil ? 2 : 3
        )
        let hooks = try options.hooks.map { hooks in
            try HookServices(
                hooks,
                sources: sources.hooks,
                secrets: secrets,
                reconciler: reconciler,
                servers: servers,
                addresses: addresses
            )
        }
        let (dataAddress, metricsAddress) = try (
            Controlling.address(options.listen), Controlling.address(options.metricsListen)
        )
        let base: [any Service] = [
            RecordPruning(records: records), ServingService(server: server),
            MemoryTrim(reconciler: reconciler, store: store),
        ]
        return base + sources.services + (hooks?.services ?? []) + [
            servers.admin(
                AdminPlane(
                    commands: reconciler,
                    owner: Actor(NSUserName()),
                    records: (records, SystemClock()),
                    replayer: server
                ),
                replacingSocketAt: state.paths.adminSocket
            ),
            servers.metrics(metrics, at: metricsAddress) { port in
                addresses.note("metrics", dialled: metricsAddress, port: port)
            },
            servers.dataPlane(data, at: dataAddress) { port in
                addresses.note("data", dialled: dataAddress, port: port)
            },
            DrainingService(server: server),
            reconciler,
        ]
    }

    private static func limits(_ limits: ListenerLimits, _ logger: Logger) -> ConnectionLimits {
        ConnectionLimits(
            connections: OpenFiles.makeRoom(forConnections: limits.maxConnections, logger: logger),
            idleTime: limits.idleTimeout.duration,
            headTime: limits.headerTimeout.duration,
            bodyTime: limits.bodyTimeout.duration,
            stallTime: limits.stallTimeout.duration
        )
    }

    static func address(_ text: String) throws -> ListenAddress {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw MartletError("BadAddress", "'\(text)' is no address; write 127.0.0.1:8080")
        }
        let host = text[..<colon].trimmingCharacters(in: ["[", "]"])
        return .tcp(host: host, port: Int(port))
    }

    /// The probe runs this same program.
    static func executable() throws -> String {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw MartletError("ExecutableUnknown", "the path of this program cannot be read from /proc/self/exe")
        }
        return path
    }

    private static func logger(_ options: RunOptions) -> Logger {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "martlet")
        logger.logLevel = Logger.Level(rawValue: options.logLevel) ?? .info
        return logger
    }
}

/// The serving side as a service: it ends last, when nobody asks it any more.
struct ServingService: Service {
    let server: InferenceServer

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.server.run()
        }
    }
}

/// Lets answers under way finish before the doors close, for as long as their endpoints' drain time-outs say.
struct DrainingService: Service {
    let server: InferenceServer

    func run() async throws {
        try await gracefulShutdown()
        await self.server.drainEverything()
    }
}
