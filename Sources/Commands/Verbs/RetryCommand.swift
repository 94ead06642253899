internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet retry`: tries a held revision again.
struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Lift the hold on the revision that the newest commit asks for, and try it again."
    )

    @OptionGroup var target: VariantOptions

    @Option(help: "Why; written into the audit log.")
    var reason = ""

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        let variant = try self.target.id()
        try await self.controller.client().post("retry", VariantBody(variant: variant, reason: self.reason))
        try self.controller.report("retry", variant.description, "\(variant) is tried again")
    }
}
