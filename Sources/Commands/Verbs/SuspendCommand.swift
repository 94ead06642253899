internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet suspend`: takes a resource, or everything, out of the loop's hands.
struct SuspendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Stop reconciling a resource, or everything; what runs goes on running."
    )

    @OptionGroup var target: SuspensionOptions
    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        try await self.controller.client().post("suspend", try self.target.body())
        let subject = try self.target.subject()
        try self.controller.report("suspend", subject, "\(subject) is suspended")
    }
}
