internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet trace`: what happened to one request, step by step.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show what happened to one request, step by step.",
        discussion: """
            The id is the answer's x-request-id. Bars show when each step ran, from the request's arrival to its end.
            """
    )

    @Argument(help: "The request's id.")
    var id: String

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        let client = try self.controller.client()
        let path = "requests/\(AdminClient.escape(self.id))"
        let record = try await client.get(path, as: RequestRecord.self)
        let feedback = try await client.get("\(path)/feedback", as: [Feedback].self)
        try self.controller.show(record) { wide in
            TraceText.render(record, feedback, wide: wide)
        } names: {
            [record.id]
        }
    }
}
