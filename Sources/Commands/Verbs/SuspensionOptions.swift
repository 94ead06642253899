internal import ArgumentParser
internal import Planning
internal import Schema

/// What is suspended or resumed.
struct SuspensionOptions: ParsableArguments {
    @Argument(help: "kind/name, such as endpoint/desk.")
    var resource: String?

    @Flag(help: "Everything.")
    var all = false

    @Option(help: "Why; written into the audit log.")
    var reason = ""

    @OptionGroup var namespace: NamespaceOptions

    func validate() throws {
        if self.all, let resource = self.resource {
            throw ValidationError("--all is everything: leave out '\(resource)', or --all")
        }
        guard self.resource != nil || self.all else {
            throw ValidationError("name a resource, such as endpoint/desk, or say --all")
        }
        _ = try self.body()
    }

    func body() throws -> SuspendBody {
        SuspendBody(
            resource: try self.resource.map {
                try ResourceName.identity($0, namespace: self.namespace.namespace)
            },
            reason: self.reason
        )
    }

    func subject() throws -> String {
        try self.body().resource?.description ?? "everything"
    }
}
