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
            CommandGroup(name: "The controller:", subcommands: [RunCommand.self, ProbeCommand.self]),
            CommandGroup(
                name: "Asking it:",
                subcommands: [
                    StatusCommand.self, GetCommand.self, DescribeCommand.self, EventsCommand.self,
                    HistoryCommand.self, AuditCommand.self,
                ]
            ),
            CommandGroup(
                name: "Steering it:",
                subcommands: [
                    SyncCommand.self, SuspendCommand.self, ResumeCommand.self, RollbackCommand.self,
                    RetryCommand.self, ReleaseCommand.self,
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

/// Finds misspelt verbs before the parser calls them unexpected arguments.
enum VerbCheck {
    /// Verbs that the interface has a place for, and this version does not have yet.
    private static let planned = [
        "promote", "confirm", "loadtest", "trace", "logs", "feedback", "eval", "monitors", "tenants",
    ]

    /// Throws when the first word names no verb of a command that has verbs.
    static func check(_ arguments: [String], in command: any ParsableCommand.Type) throws {
        let verbs = command.configuration.subcommands
        guard !verbs.isEmpty, let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return }
        if let verb = verbs.first(where: { $0.configuration.commandName == word }) {
            return try VerbCheck.check(Array(arguments.dropFirst()), in: verb)
        }
        let path = command == MartletCommand.self ? "" : "\(command.configuration.commandName ?? "") "
        if path.isEmpty, VerbCheck.planned.contains(word) {
            throw MartletError("VerbUnavailable", "'\(word)' is not available in this version")
        }
        let words = verbs.filter { $0.configuration.shouldDisplay }.compactMap { $0.configuration.commandName }
        let hint = Suggestion.text(for: word, among: words)
        throw MartletError(
            "VerbUnknown",
            "there is no '\(path)\(word)'\(hint.isEmpty ? ";" : hint) see 'martlet \(path)--help'"
        )
    }
}
