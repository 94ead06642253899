internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet resume`: gives it back.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Reconcile a suspended resource, or everything, again."
    )

    @OptionGroup var target: SuspensionOptions
    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        try await self.controller.client().post("resume", try self.target.body())
        let subject = try self.target.subject()
        try self.controller.report("resume", subject, "\(subject) is resumed")
    }
}
