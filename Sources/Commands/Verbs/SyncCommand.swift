internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet sync`: reads the source again at once.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Read the repository again at once, and say which commit it is at."
    )

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        let commit = try await self.controller.client().post("sync", SyncBody(), as: CommitSummary.self)
        try self.controller.show(commit) { _ in
            "\(commit.id.prefix(10)) \(PlainText.line(commit.subject))"
        } names: {
            [commit.id]
        }
    }
}
