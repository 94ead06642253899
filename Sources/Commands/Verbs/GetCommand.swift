internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet get`: resources, by kind or by name; also `holds` and `rollouts`.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "List resources, or one of them.",
        usage: """
            martlet get endpoints
            martlet get endpoint desk -o yaml
            martlet get all -A -l team=search
            martlet get holds
            """
    )

    @Argument(help: "A kind (endpoint, models, …), 'all' or 'holds'.")
    var kind: String

    @Argument(help: "A name, or namespace/name.")
    var name: String?

    @OptionGroup var namespace: NamespaceOptions

    @Flag(name: .customShort("A"), help: "All namespaces.")
    var allNamespaces = false

    @Option(name: [.customShort("l"), .customLong("selector")], help: "Only with these labels: key=value,key=value.")
    var selector: String?

    @Flag(help: "Print again whenever something changed, until Ctrl-C.")
    var watch = false

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard ["all", "holds"].contains(self.kind) || Kind(word: self.kind) != nil else {
            let words = Kind.allCases.map(\.plural) + ["all", "holds"]
            throw ValidationError("there is no kind '\(self.kind)'" + Suggestion.text(for: self.kind, among: words))
        }
        _ = try LabelSelector(self.selector)
    }

    func run() async throws {
        let client = try self.controller.client()
        try await self.printOnce(client)
        guard self.watch else { return }
        try await client.followEvents(after: nil, resource: nil) { _ in }
    }

    private func printOnce(_ client: AdminClient) async throws {
        if self.kind == "holds" {
            let holds = try await client.get("holds", as: [Hold].self)
            try self.controller.show(holds) { _ in
                HoldTable.render(holds)
            } names: {
                holds.map { "\($0.variant)#\($0.revision)" }
            }
            return
        }
        guard let name = self.name else {
            try self.show(try await self.list(client))
            return
        }
        guard let kind = Kind(word: self.kind) else {
            throw ValidationError("'\(self.kind)' takes no name")
        }
        let identity = ResourceName.identity(kind, name, namespace: self.namespace.namespace)
        let view = try await client.get(
            "resources/\(identity.kind.rawValue)/\(identity.namespace)/\(identity.name)",
            as: ResourceView.self
        )
        try self.show([view], single: view)
    }

    private func list(_ client: AdminClient) async throws -> [ResourceView] {
        var query: [String] = []
        if let kind = Kind(word: self.kind) { query.append("kind=\(kind.rawValue)") }
        if !self.allNamespaces { query.append("namespace=\(AdminClient.escape(self.namespace.namespace))") }
        let views = try await client.get(
            "resources" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")),
            as: [ResourceView].self
        )
        let selector = try LabelSelector(self.selector)
        return views.filter { selector.matches($0.labels) }
    }

    private func show(_ views: [ResourceView], single: ResourceView? = nil) throws {
        let table = { (wide: Bool) in
            Kind(word: self.kind) == .endpoint
                ? ResourceTable.endpoints(views, wide: wide) : ResourceTable.resources(views, wide: wide)
        }
        let names = { views.map(\.identity.description) }
        if let single {
            try self.controller.show(single, table: table, names: names)
        } else {
            try self.controller.show(views, table: table, names: names)
        }
    }
}
