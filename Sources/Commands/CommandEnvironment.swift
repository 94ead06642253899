package import Planning
package import Schema

/// What `martlet run` was asked for.
package struct RunOptions: Sendable, Hashable {
    /// A path of a repository, with or without a work tree.
    package var repository: String
    /// A branch, tag or commit.
    package var ref: String
    /// Only manifests below this folder; empty: all.
    package var path: String
    /// The namespace of manifests that name none.
    package var namespace: String
    /// Nil: the four above say what is followed.
    package var sources: RunSources?
    /// Nil: the default place.
    package var stateDirectory: String?
    /// `host:port` of the data plane; port 0 asks the system for one.
    package var listen: String
    /// `host:port` of `/metrics`, `/livez` and `/readyz`.
    package var metricsListen: String
    /// Bytes that loaded models may take together; nil: no bound.
    package var memoryBudget: ByteCount?
    /// When new commits are applied.
    package var sync: SyncPolicy
    /// Nil: nobody listens for hooks.
    package var hooks: HookOptions?
    /// Where secrets are looked for that are named by a file; nil: a folder of the state directory.
    package var secretsDirectory: String?
    /// Whether a damaged state is rebuilt before anything else.
    package var rebuildsState: Bool
    /// Policies from outside of the repository, and how far its own reach.
    package var policies: PolicySources
    /// Whose signatures are demanded.
    package var signatures: SignatureGuard.Demand
    /// How a remote repository is fetched.
    package var remote: RemoteRunOptions
    /// What clients may cost.
    package var limits: ListenerLimits
    /// How programs of chains are run.
    package var programs: ProgramRunOptions
    package var logLevel: String

    package init(
        repository: String,
        ref: String,
        path: String,
        namespace: String,
        sources: RunSources? = nil,
        stateDirectory: String?,
        listen: String,
        metricsListen: String,
        memoryBudget: ByteCount?,
        sync: SyncPolicy = SyncPolicy(),
        hooks: HookOptions? = nil,
        secretsDirectory: String? = nil,
        rebuildsState: Bool = false,
        policies: PolicySources = PolicySources(),
        signatures: SignatureGuard.Demand = SignatureGuard.Demand(),
        remote: RemoteRunOptions = RemoteRunOptions(),
        limits: ListenerLimits = ListenerLimits(),
        programs: ProgramRunOptions = ProgramRunOptions(),
        logLevel: String
    ) {
        self.repository = repository
        self.ref = ref
        self.path = path
        self.namespace = namespace
        self.sources = sources
        self.stateDirectory = stateDirectory
        self.listen = listen
        self.metricsListen = metricsListen
        self.memoryBudget = memoryBudget
        self.sync = sync
        self.hooks = hooks
        self.secretsDirectory = secretsDirectory
        self.rebuildsState = rebuildsState
        self.policies = policies
        self.signatures = signatures
        self.remote = remote
        self.limits = limits
        self.programs = programs
        self.logLevel = logLevel
    }
}

/// How `martlet run` takes hooks of git servers.
package struct HookOptions: Sendable, Hashable {
    /// `host:port`; port 0 asks the system for one.
    package var listen: String
    /// What the git server signs its hooks with; nil: each source names a secret of its own, or takes no hooks.
    package var secret: SecretReference?

    package init(listen: String, secret: SecretReference?) {
        self.listen = listen
        self.secret = secret
    }
}

/// What the verbs reach outside themselves; the executable fills it in, tests put fakes there.
package struct CommandEnvironment: Sendable {
    /// Opens a repository for the offline verbs. Throws with what to do when there is none.
    package var openRepository: @Sendable (_ path: String) throws -> any SourceRepository
    /// Opens one of several repositories for the offline verbs, as `folder`, where relative paths begin, and the state
    /// directory have it; a remote one as it was fetched last. Throws with what to do when there is none.
    package var openSource:
        @Sendable (_ source: SourceSpec, _ folder: String, _ stateDirectory: String?) throws -> any SourceRepository
    /// Opens the repository at the same path for checks of who signed its commits.
    package var openVerifier: @Sendable (_ path: String) throws -> any CommitVerifier
    /// Runs the controller until it is told to stop.
    package var run: @Sendable (RunOptions) async throws -> Void
    /// Serves one probe request on standard input and output.
    package var probe: @Sendable () throws -> Void
    /// Serves one fetch request on standard input and output.
    package var fetch: @Sendable () throws -> Void
    package var engines: any EngineCatalog
    /// What verbs do to a state directory by themselves.
    package var state: StateTools
    /// The admin API's socket in a state directory; nil names the default place.
    package var socketPath: @Sendable (_ stateDirectory: String?) throws -> String
    /// Writes a text and a line break to standard output.
    package var print: @Sendable (String) -> Void
    /// Writes a text and a line break to standard error.
    package var printError: @Sendable (String) -> Void
    /// Whether standard output is a terminal that takes colour.
    package var colour: Bool
    /// How many columns the terminal has that standard output is; nil: it is none.
    package var columns: Int?
    /// Shows how far something is in a line of its own, which the next one replaces, and nil removes; nil: nobody is
    /// there to look at it.
    package var showProgress: (@Sendable (String?) -> Void)?
    /// Returns when somebody wants the verb to end early, or when its task is cancelled.
    package var untilInterrupted: @Sendable () async -> Void
    package var environment: [String: String]
    package var version: String
    /// Tells builds of one version apart.
    package var build: String

    package init(
        openRepository: @escaping @Sendable (_ path: String) throws -> any SourceRepository,
        openSource:
            @escaping @Sendable (SourceSpec, _ folder: String, _ stateDirectory: String?) throws
            -> any SourceRepository = { source, _, _ in
                throw MartletError("RepositoryNotFound", "no git repository at '\(source.url)'")
            },
        openVerifier: @escaping @Sendable (_ path: String) throws -> any CommitVerifier = { _ in
            throw MartletError("SignatureUnchecked", "signatures cannot be checked here")
        },
        run: @escaping @Sendable (RunOptions) async throws -> Void,
        probe: @escaping @Sendable () throws -> Void,
        fetch: @escaping @Sendable () throws -> Void = {},
        engines: any EngineCatalog,
        state: StateTools,
        socketPath: @escaping @Sendable (_ stateDirectory: String?) throws -> String,
        print: @escaping @Sendable (String) -> Void,
        printError: @escaping @Sendable (String) -> Void,
        colour: Bool,
        columns: Int? = nil,
        showProgress: (@Sendable (String?) -> Void)? = nil,
        untilInterrupted: @escaping @Sendable () async -> Void,
        environment: [String: String],
        version: String,
        build: String = ""
    ) {
        self.openRepository = openRepository
        self.openSource = openSource
        self.openVerifier = openVerifier
        self.run = run
        self.probe = probe
        self.fetch = fetch
        self.engines = engines
        self.state = state
        self.socketPath = socketPath
        self.print = print
        self.printError = printError
        self.colour = colour
        self.columns = columns
        self.showProgress = showProgress
        self.untilInterrupted = untilInterrupted
        self.environment = environment
        self.version = version
        self.build = build
    }

    @TaskLocal package static var task: CommandEnvironment?

    /// The environment of the verb that runs now. Only the executable and tests start verbs, and both set it.
    package static var current: CommandEnvironment {
        guard let environment = CommandEnvironment.task else {
            preconditionFailure("a verb was started without CommandEnvironment.$task.withValue")
        }
        return environment
    }
}
