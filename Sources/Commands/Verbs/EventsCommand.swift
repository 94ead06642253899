internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet events`: what happened, oldest first.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened, oldest first."
    )

    @Argument(help: "Only events of this resource: kind/name.")
    var resource: String?

    @Option(help: "Show at most this many of the newest.")
    var limit = 50

    @Option(help: "Only events after this number.")
    var after: Int64?

    @Flag(name: .shortAndLong, help: "Go on printing events as they come, until Ctrl-C.")
    var watch = false

    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit goes from 1 to 10000") }
        _ = try self.identity()
    }

    private func identity() throws -> ResourceIdentity? {
        try self.resource.map { try ResourceName.identity($0, namespace: self.namespace.namespace) }
    }

    func run() async throws {
        let client = try self.controller.client()
        var query = ["limit=\(self.limit)"]
        let identity = try self.identity()
        if let identity { query.append("resource=\(AdminClient.escape(identity.description))") }
        if let after = self.after { query.append("after=\(after)") }
        let events = try await client.get("events?" + query.joined(separator: "&"), as: [Event].self)
        try self.controller.show(events) { _ in
            events.isEmpty ? "No events." : EventText.render(events)
        } names: {
            events.map { String($0.sequence) }
        }
        guard self.watch else { return }
        try await client.followEvents(after: events.last?.sequence ?? self.after, resource: identity) { event in
            try self.controller.show([event]) { _ in
                EventText.render([event])
            } names: {
                [String(event.sequence)]
            }
        }
    }
}

/// Events, one line each.
enum EventText {
    static func render(_ events: [Event]) -> String {
        events.map { event in
            let mark = event.severity == .warning ? "!" : " "
            return "\(TimeText.render(event.at)) \(mark) \(event.reason): \(PlainText.line(event.message))"
        }.joined(separator: "\n")
    }
}
