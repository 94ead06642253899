internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet describe`: everything about one resource, with its events.
struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show everything about one resource, and its latest events."
    )

    @Argument(help: ArgumentHelp("kind/name, or a kind followed by a name.", valueName: "resource"))
    var words: [String]

    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard (1...2).contains(self.words.count) else {
            throw ValidationError("write kind/name, such as endpoint/desk")
        }
        _ = try self.identity()
    }

    private func identity() throws -> ResourceIdentity {
        try ResourceName.identity(self.words.joined(separator: "/"), namespace: self.namespace.namespace)
    }

    func run() async throws {
        let client = try self.controller.client()
        let identity = try self.identity()
        let view = try await client.resource(identity)
        let events = try await client.get(
            "events?limit=10&resource=\(AdminClient.escape(identity.description))",
            as: [Event].self
        )
        try self.controller.show(DescribedResource(resource: view, events: events)) { _ in
            DescribeText.render(view, events)
        } names: {
            [identity.description]
        }
    }
}

/// What `describe` prints as JSON and YAML.
private struct DescribedResource: Encodable {
    var resource: ResourceView
    /// Oldest first.
    var events: [Event]
}

/// One resource as indented text.
enum DescribeText {
    static func render(_ view: ResourceView, _ events: [Event]) -> String {
        var lines = [
            "Resource    \(view.identity)",
            "Sync        \(view.sync.rawValue)" + (view.suspended ? " (suspended)" : ""),
            "Health      \(view.health.rawValue)",
        ]
        if let location = view.location { lines.append("Declared    \(location)") }
        if let digest = view.digest { lines.append("Digest      \(digest)") }
        if let settings = view.settingsRevision { lines.append("Settings    \(settings)") }
        let labels = view.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        if !labels.isEmpty { lines.append("Labels      " + labels.joined(separator: ", ")) }
        for condition in view.conditions {
            lines.append("\nCondition   \(condition.type.rawValue)=\(condition.status.rawValue) (\(condition.reason))")
            if !condition.message.isEmpty { lines.append("            \(PlainText.line(condition.message))") }
        }
        for variant in view.variants { lines += DescribeText.lines(of: variant) }
        if let instance = view.instance {
            let message = instance.message.isEmpty ? "" : " \(PlainText.line(instance.message))"
            lines.append("\nInstance    \(instance.key) \(instance.state.rawValue)\(message)")
            lines.append("  copies    \(instance.copies), \(ByteText.render(instance.memoryBytes))")
            lines.append("  last used \(instance.lastUsed.map { TimeText.render($0) } ?? "-")")
        }
        if let spec = view.spec {
            let yaml = YAMLText.render(spec).split(separator: "\n").map { "  \($0)" }
            lines += ["\nSpec"] + yaml
        }
        if !events.isEmpty { lines += ["\nEvents", EventText.render(events)] }
        return lines.joined(separator: "\n")
    }

    private static func lines(of variant: VariantView) -> [String] {
        let serving = variant.serving.map { "\($0.revision) \($0.weight)%" }.joined(separator: ", ")
        let earlier = variant.earlier.map(\.description).joined(separator: ", ")
        let isShort = variant.replicas < variant.wantedReplicas
        let replicas = "\(variant.replicas)" + (isShort ? " of \(variant.wantedReplicas) that are wanted" : "")
        var lines = [
            "\nVariant     \(variant.variant)",
            "  desired   \(variant.desired?.description ?? "-")",
            "  attempted \(variant.attempted?.description ?? "-")",
            "  serving   \(serving.isEmpty ? "-" : serving)",
            "  promoted  \(variant.promoted?.description ?? "-")",
            "  earlier   \(earlier.isEmpty ? "-" : earlier)",
            "  replicas  \(replicas), \(variant.inFlight) requests under way",
        ]
        if let rollout = variant.rollout {
            lines.append("  rollout   \(rollout.strategy.rawValue) to \(rollout.revision), \(rollout.phase.rawValue)")
        }
        if let hold = variant.hold {
            lines.append(
                "  hold      \(hold.revision) by \(hold.actor): \(hold.reason): \(PlainText.line(hold.message))"
            )
        }
        return lines
    }
}
