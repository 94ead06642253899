internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet release`: lifts every hold of a variant.
struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Lift every hold of an endpoint's variant."
    )

    @OptionGroup var target: VariantOptions

    @Option(help: "Why; written into the audit log.")
    var reason = ""

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        let variant = try self.target.id()
        try await self.controller.client().post("release", VariantBody(variant: variant, reason: self.reason))
        try self.controller.report("release", variant.description, "every hold of \(variant) is lifted")
    }
}
