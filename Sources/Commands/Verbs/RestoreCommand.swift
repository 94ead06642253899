internal import ArgumentParser
internal import Foundation
internal import Planning

/// `martlet restore`: a backup in the place of the state of a controller that does not run.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put a backup in the place of the state; no controller may run on it.",
        discussion: """
            Everything in the backup is checked before anything is changed. The state that is there is kept beside the new \
            one as control.db.before-restore-<time>, and that only with --force. When it is cut short, no controller \
            starts on the state until the same command was given again.
            """
    )

    @Argument(help: "The file that 'martlet backup' wrote.")
    var file: String

    @Flag(help: "Set a state aside that is there already.")
    var force = false

    @Option(help: "The state directory; default as for 'martlet run'.")
    var stateDir: String?

    @Option(name: [.customShort("o"), .customLong("output")], help: "text or json.")
    var format: ReportFormat = .text

    func run() async throws {
        let environment = CommandEnvironment.current
        let account = NSUserName()
        let summary = try await environment.state.restore(
            StateTools.RestoreRequest(
                stateDirectory: self.stateDir ?? environment.environment["MARTLET_STATE_DIR"],
                file: self.file,
                replacing: self.force,
                actor: Actor(account.isEmpty ? "uid-\(getuid())" : account)
            )
        )
        switch self.format {
        case .text: environment.print(RestoreCommand.text(of: summary))
        case .json: environment.print(try Rendering.json(summary))
        }
    }

    private static func text(of summary: StateTools.RestoreSummary) -> String {
        var lines = ["restored \(summary.backup.file) of \(TimeText.render(summary.backup.createdAt))"]
        if summary.wasCutShort { lines.append("an earlier restore had been cut short; what it left behind is gone") }
        if let aside = summary.aside { lines.append("the state that was there is kept as \(aside)") }
        lines.append(
            summary.audit.brokenAt == nil
                ? "its audit log is whole" : "its audit log was broken before: \(summary.audit.message)"
        )
        return lines.joined(separator: "\n")
    }
}
