internal import ArgumentParser
internal import Schema

/// `martlet run`: the controller.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the controller: make what runs follow a git repository, until stopped."
    )

    @Argument(help: "The repository: a folder with a work tree, a bare one, or an https, ssh or file address.")
    var repository: String?

    @Option(help: "The branch, tag or commit to follow.")
    var ref = "HEAD"

    @Option(help: "Only manifests below this folder of the repository.")
    var path = ""

    @Option(help: "A file that names several repositories, to be followed side by side.")
    var sources: String?

    @OptionGroup var namespace: NamespaceOptions

    @Option(help: "Where state lives; default $XDG_STATE_HOME/martlet, else ~/.local/state/martlet.")
    var stateDir: String?

    @Option(help: "Address and port of the data plane; port 0 asks the system for one.")
    var listen = "127.0.0.1:8080"

    @Option(help: "Address and port of /metrics, /livez and /readyz.")
    var metricsListen = "127.0.0.1:9090"

    @Option(help: "Memory that loaded models may take together, such as 4Gi; without it, no bound.")
    var memoryBudget: String?

    @OptionGroup var sync: SyncOptions
    @OptionGroup var policies: PolicyOptions
    @OptionGroup var remote: RunRemoteOptions
    @OptionGroup var hooks: RunHookOptions
    @OptionGroup var limits: RunLimitOptions
    @OptionGroup var programs: RunProgramOptions

    @Option(help: "Where secrets are looked for that are named by a file; default 'secrets' in the state directory.")
    var secretsDir: String?

    @Flag(
        help: """
            Before anything else, replace a damaged control.db: the damaged files are kept, what can be read of them is \
            rescued, and git says the rest. A sound one is left as it is.
            """
    )
    var rebuildState = false

    @Option(help: "trace, debug, info, notice, warning or error.")
    var logLevel = "info"

    func validate() throws {
        if self.sources != nil, self.repository != nil || self.ref != "HEAD" || !self.path.isEmpty {
            throw ValidationError("--sources says it all: leave out the repository, --ref and --path")
        }
        if self.sources != nil { try self.remote.checkSingle() }
        try self.hooks.checkSecret(isNeeded: self.sources == nil)
        if let budget = self.memoryBudget {
            guard let amount = ByteCount(budget) else {
                throw ValidationError("--memory-budget '\(budget)' is no amount of memory; write 512Mi or 4Gi")
            }
            guard amount.bytes > 0 else {
                throw ValidationError("--memory-budget '\(budget)' leaves room for no model; leave it out for no limit")
            }
        }
        let levels = ["trace", "debug", "info", "notice", "warning", "error"]
        guard levels.contains(self.logLevel) else {
            let hint = NearestWord.hint(for: self.logLevel, among: levels)
            throw ValidationError(
                "--log-level '\(self.logLevel)' is not one of \(levels.joined(separator: ", "))\(hint)"
            )
        }
        for (option, value) in [("--listen", self.listen), ("--metrics-listen", self.metricsListen)] {
            try RunCommand.checkAddress(value, of: option)
        }
    }

    /// Throws unless an option's value is `host:port`.
    static func checkAddress(_ value: String, of option: String) throws {
        guard RunCommand.isAddress(value) else {
            throw ValidationError("\(option) '\(value)' is no address; write 127.0.0.1:8080")
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return false }
        return UInt16(text[text.index(after: colon)...]) != nil
    }

    func run() async throws {
        let environment = CommandEnvironment.current
        try await environment.run(
            RunOptions(
                repository: self.repository ?? ".",
                ref: self.ref,
                path: self.path,
                namespace: self.namespace.namespace,
                sources: try self.sources.map { try RunSources(path: $0) },
                stateDirectory: self.stateDir ?? environment.environment["MARTLET_STATE_DIR"],
                listen: self.listen,
                metricsListen: self.metricsListen,
                memoryBudget: self.memoryBudget.flatMap { ByteCount($0) },
                sync: try self.sync.policy(),
                hooks: self.hooks.options,
                secretsDirectory: self.secretsDir,
                rebuildsState: self.rebuildState,
                policies: try self.policies.sources(namespace: self.namespace.namespace),
                signatures: try self.policies.demand(),
                remote: self.remote.options,
                limits: self.limits.limits,
                programs: self.programs.options,
                logLevel: self.logLevel
            )
        )
    }
}
