package import ArgumentParser
internal import Schema

/// The root of the command line.
package struct MartletCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "GitOps for models: what a git repository says is what runs.",
        discussion: """
            Exit codes: 0 done, or no difference; 1 there is a difference, or the thing asked for is not so; 2 it \
            could not be done, with the reason on standard error.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Offline, in any clone:",
                subcommands: [
                    InitCommand.self, ValidateCommand.self, PlanCommand.self, DiffCommand.self, EnginesCommand.self,
                    VersionCommand.self, CompletionCommand.self,
                ]
            ),
            CommandGroup(
                name: "The controller:",
                subcommands: [RunCommand.self, ProbeCommand.self, FetchCommand.self]
            ),
            CommandGroup(
                name: "Its state:",
                subcommands: [BackupCommand.self, RestoreCommand.self, ExportCommand.self]
            ),
            CommandGroup(
                name: "Asking it:",
                subcommands: [
                    StatusCommand.self, GetCommand.self, DescribeCommand.self, EventsCommand.self,
                    HistoryCommand.self, TraceCommand.self, ReplayCommand.self, LogsCommand.self, FeedbackCommand.self,
                    AuditCommand.self, LoadTestCommand.self,
                ]
            ),
            CommandGroup(
                name: "Steering it:",
                subcommands: [
                    SyncCommand.self, ConfirmCommand.self, SuspendCommand.self, ResumeCommand.self,
                    RollbackCommand.self, RetryCommand.self, ReleaseCommand.self,
                ]
            ),
        ]
    )

    package static var _errorLabel: String { "error" }

    package init() {}

    /// Runs one command line and returns its exit code; errors go to the environment's standard error.
    package static func run(_ arguments: [String]) async -> Int32 {
        let environment = CommandEnvironment.current
        do {
            let arguments = arguments == ["--version"] ? ["version"] : arguments
            try VerbCheck.check(arguments, in: MartletCommand.self)
            var command = try MartletCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch let error as MartletError {
            environment.printError("error: \(error)")
            return 2
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let text = MartletCommand.fullMessage(for: error)
            guard MartletCommand.exitCode(for: error) == .success else {
                environment.printError(text.isEmpty ? "error: \(error)" : text)
                return 2
            }
            environment.print(text)
            return 0
        }
    }
}
