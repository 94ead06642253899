internal import Commands
internal import Connectors
internal import Logging
internal import Planning
internal import StateStore

extension Controlling {
    /// The way out for steps that ask servers elsewhere.
    static func httpCaller(_ secrets: SecretReader) -> OutboundCaller {
        OutboundCaller(secret: secrets.read)
    }

    /// The way out for steps that run programs.
    static func programHost(
        _ options: RunOptions,
        _ state: StateDirectory,
        _ repository: any SourceRepository,
        _ logger: Logger
    ) -> ProgramHost {
        ProgramHost(
            folder: state.paths.programs,
            repository: repository,
            options: ProgramHost.Options(
                allowsUnsandboxed: options.programs.allowsUnsandboxed,
                readable: options.programs.readable
            ),
            logger: logger
        )
    }
}
