internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet sync`: reads the source again at once, and applies what it finds.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Read the repository again at once, apply its newest commit, and say which one is in force.",
        discussion: """
            With 'martlet run --sync-mode manual' this is what applies a commit, the newest or the one that --revision \
            names. A sync window that is closed refuses it, unless the window ends with 'manual'.
            """
    )

    @Argument(help: "The source whose remote is asked for news, where there are several; without it, all are.")
    var source: String?

    @Option(help: "The commit, branch or tag to apply instead of the newest commit; in manual mode.")
    var revision: String?

    @Option(help: "Why; written into the audit log.")
    var reason = ""

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        if self.revision?.isEmpty ?? false { throw ValidationError("--revision names a commit, branch or tag") }
    }

    func run() async throws {
        let body = SyncBody(source: self.source, revision: self.revision, reason: self.reason)
        let commit = try await self.controller.client().post("sync", body, as: CommitSummary.self)
        try self.controller.show(commit) { _ in
            "\(commit.id.prefix(10)) \(PlainText.line(commit.subject))"
        } names: {
            [commit.id]
        }
    }
}
