internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet confirm`: lets a commit remove what the prune guard has stopped.
struct ConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Let a commit remove the endpoints that the prune guard kept.",
        discussion: """
            A commit that would remove more than half of the endpoints, and at least three, removes none by itself; nor \
            does one that declares nothing any more. 'martlet status' says which one waits and what it would remove. \
            The word holds for that commit, and for later ones that remove nothing beside.
            """
    )

    @Argument(help: "The commit that waits; its first digits will do.")
    var commit: String

    @Option(help: "Why; written into the audit log.")
    var reason = ""

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard self.commit.count >= 4, self.commit.allSatisfy(\.isHexDigit) else {
            throw ValidationError("'\(self.commit)' is no commit; write at least 4 of its digits")
        }
    }

    func run() async throws {
        let body = ConfirmBody(commit: self.commit, reason: self.reason)
        let confirmation = try await self.controller.client().post("confirm", body, as: PruneConfirmation.self)
        try self.controller.show(confirmation) { _ in
            "commit \(confirmation.commit.prefix(10)) removes "
                + Counted.words(confirmation.endpoints.count, "endpoint")
        } names: {
            confirmation.endpoints.map(\.description)
        }
    }
}
