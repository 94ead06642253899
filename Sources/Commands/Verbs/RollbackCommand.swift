internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet rollback`: goes back to an earlier revision and holds the present one.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to an earlier revision, and hold the one that the newest commit asks for.",
        discussion: """
            The hold ends when the commit asks for another revision of that variant, or with 'martlet release'. It \
            works while the git server is down, and survives a restart.
            """
    )

    @OptionGroup var target: VariantOptions

    @Option(help: "The first digits of the revision to go back to; without it, the one promoted before.")
    var to: String?

    @Option(help: "Why; shown wherever the hold is shown, and written into the audit log.")
    var reason: String

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        if self.reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason must say why") }
    }

    func run() async throws {
        let body = RollbackBody(variant: try self.target.id(), to: self.to, reason: self.reason)
        let hold = try await self.controller.client().post("rollback", body, as: Hold.self)
        try self.controller.show(hold) { _ in
            "\(hold.variant) goes back to \(hold.target?.description ?? "its promoted revision"); "
                + "\(hold.revision) is held: \(PlainText.line(hold.message))"
        } names: {
            ["\(hold.variant)#\(hold.revision)"]
        }
    }
}
