internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet get`: resources, by kind or by name; also holds and rollouts.
struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "List resources, or show one of them.",
        usage: """
            martlet get endpoints
            martlet get endpoint desk -o yaml
            martlet get all -A -l team=search
            martlet get holds
            """,
        discussion: """
            With --watch the answer is printed again whenever it has changed, until Ctrl-C. Exit code 2 when what is \
            named does not exist.
            """
    )

    @Argument(help: "A kind (endpoint, models, …), kind/name, 'all', 'holds' or 'rollouts'.")
    var kind: String

    @Argument(help: "A name, or namespace/name.")
    var name: String?

    @OptionGroup var namespace: NamespaceOptions

    @Flag(name: [.customShort("A"), .customLong("all-namespaces")], help: "All namespaces.")
    var allNamespaces = false

    @Option(name: [.customShort("l"), .customLong("selector")], help: "Only with these labels: key=value,key,!key.")
    var selector: String?

    @Option(help: "At most this many resources; without it, all of them.")
    var limit: Int?

    @Flag(name: .shortAndLong, help: "Print again whenever something changed, until Ctrl-C.")
    var watch = false

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        _ = try self.subject()
        _ = try LabelSelector(self.selector)
        if let limit = self.limit {
            guard case .list = try self.subject() else {
                throw ValidationError("--limit goes with a list of resources")
            }
            if limit < 1 { throw ValidationError("--limit '\(limit)' must be 1 or more") }
        }
    }

    func run() async throws {
        let client = try self.controller.client()
        let subject = try self.subject()
        guard self.watch else {
            try await self.answer(subject, from: client).print()
            return
        }
        // From the newest event on, so that nothing that happens while the first answer is read goes unseen.
        let newest = try await client.get("events?limit=1", as: [Event].self).last?.sequence ?? 0
        var shown = try await self.answer(subject, from: client)
        shown.print()
        // At every event, and now and then: not everything that is shown raises one.
        let (moments, moment) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { moment.finish() }
                try await client.followEvents(after: newest, resource: nil) { _ in moment.yield() }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(2))
                    moment.yield()
                }
            }
            for await _ in moments {
                let answer = try await self.answer(subject, from: client)
                if answer != shown { answer.print() }
                shown = answer
            }
            // The events end only with the controller, and say so.
            try await group.next()
            group.cancelAll()
        }
    }
}

extension GetCommand {
    /// What is listed.
    private enum Subject {
        case holds
        case rollouts
        /// Nil: every kind.
        case list(Kind?)
        case single(ResourceIdentity)
    }

    /// A rendered answer.
    private struct Answer: Equatable {
        var text: String
        /// Said on standard error, so that a program that reads the table finds no row in it.
        var nothing: String?

        func print() {
            if let nothing = self.nothing { CommandEnvironment.current.printError(nothing) }
            if !self.text.isEmpty { CommandEnvironment.current.print(self.text) }
        }
    }

    private func subject() throws -> Subject {
        if self.kind.contains("/") {
            guard self.name == nil else { throw ValidationError("'\(self.kind)' names a resource already") }
            return try self.single(ResourceName.identity(self.kind, namespace: self.namespace.namespace))
        }
        let lists: [String: Subject] = ["all": .list(nil), "holds": .holds, "rollouts": .rollouts]
        if let list = lists[self.kind] {
            guard self.name == nil else { throw ValidationError("'\(self.kind)' takes no name") }
            return list
        }
        guard let kind = Kind(word: self.kind) else {
            let words = Kind.allCases.map(\.plural) + lists.keys
            let all = "; there are \(words.sorted().joined(separator: ", "))"
            let hint = NearestWord.hint(for: self.kind, among: words, otherwise: all)
            throw ValidationError("there is no kind '\(self.kind)'" + hint)
        }
        guard let name = self.name else { return .list(kind) }
        return try self.single(ResourceName.identity(kind, name, namespace: self.namespace.namespace))
    }

    private func single(_ identity: ResourceIdentity) throws -> Subject {
        guard !self.allNamespaces, self.selector == nil else {
            throw ValidationError("a name goes without -A and -l")
        }
        return .single(identity)
    }

    private func answer(_ subject: Subject, from client: AdminClient) async throws -> Answer {
        switch subject {
        case .holds:
            let holds = try await client.get("holds", as: [Hold].self).filter { self.isWanted($0.variant) }
            return try self.render(holds, nothing: "No holds", table: { _ in HoldTable.render(holds) }) {
                "\($0.variant)#\($0.revision)"
            }
        case .rollouts:
            let views = try await client.get("rollouts", as: [VariantView].self).filter { self.isWanted($0.variant) }
            return try self.render(views, nothing: "No rollouts", table: { _ in RolloutTable.render(views) }) {
                $0.variant.description
            }
        case .list(let kind):
            let views = try await self.list(kind, from: client)
            let table = { (wide: Bool) in ResourceTable.render(views, of: kind, wide: wide) }
            return try self.render(views, nothing: "No resources", table: table) { $0.identity.description }
        case .single(let identity):
            let view = try await client.resource(identity)
            let text = try self.controller.output.text(view) { wide in
                ResourceTable.render([view], of: identity.kind, wide: wide)
            } names: {
                [identity.description]
            }
            return Answer(text: text, nothing: nil)
        }
    }

    private func render<Element: Encodable>(
        _ elements: [Element],
        nothing: String,
        table: (_ wide: Bool) -> String,
        name: (Element) -> String
    ) throws -> Answer {
        let isTable = [.table, .wide].contains(self.controller.output.format)
        guard !elements.isEmpty || !isTable else {
            let place = self.allNamespaces ? "" : " in namespace '\(self.namespace.namespace)'"
            return Answer(text: "", nothing: nothing + place + ".")
        }
        let text = try self.controller.output.text(elements, table: table) { elements.map(name) }
        return Answer(text: text, nothing: nil)
    }

    private func isWanted(_ variant: VariantID) -> Bool {
        self.allNamespaces || variant.namespace == self.namespace.namespace
    }

    private func list(_ kind: Kind?, from client: AdminClient) async throws -> [ResourceView] {
        var query: [String] = []
        if let kind { query.append("kind=\(kind.rawValue)") }
        if !self.allNamespaces { query.append("namespace=\(AdminClient.escape(self.namespace.namespace))") }
        let selector = try LabelSelector(self.selector)
        // Labels are told apart here, so that a limit counts what is shown.
        let limit = self.selector == nil ? self.limit : nil
        let views = try await client.pages("resources", query, limit: limit, of: ResourceView.self).elements
        let matching = views.filter { selector.matches($0.labels) }
        return Array(matching.prefix(self.limit ?? .max))
    }
}
