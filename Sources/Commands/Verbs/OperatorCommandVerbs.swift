internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet sync`: reads the source again at once.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Read the repository again at once, and say which commit it is at."
    )

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        let commit = try await self.controller.client().post("sync", SyncBody(), as: CommitSummary.self)
        try self.controller.show(commit) { _ in
            "\(commit.id.prefix(10)) \(PlainText.line(commit.subject))"
        } names: {
            [commit.id]
        }
    }
}

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
        guard (self.resource == nil) == self.all else {
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

/// `martlet rollback`: goes back to an earlier revision and holds the present one.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Go back to an earlier revision, and hold the one that the newest commit asks for.",
        discussion: """
            The hold ends when the commit asks for another revision of that variant, or with 'martlet release'. It \
            works while the git server is down, and survives a restart.
            """
    )

    @OptionGroup var target: VariantOptions

    @Option(help: "The first digits of the revision to go back to; without it, the one promoted before.")
    var to: String?

    @Option(help: "Why; shown wherever the hold is shown, and written into the audit log.")
    var reason: String

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        if self.reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason must say why") }
    }

    func run() async throws {
        let body = RollbackBody(variant: try self.target.id(), to: self.to, reason: self.reason)
        let hold = try await self.controller.client().post("rollback", body, as: Hold.self)
        try self.controller.show(hold) { _ in
            "\(hold.variant) goes back to \(hold.target?.description ?? "its promoted revision"); "
                + "\(hold.revision) is held: \(PlainText.line(hold.message))"
        } names: {
            ["\(hold.variant)#\(hold.revision)"]
        }
    }
}

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

/// An endpoint, and the tenant whose own variant is meant.
struct VariantOptions: ParsableArguments {
    @Argument(help: "endpoint/desk, or endpoint/namespace/desk.")
    var endpoint: String

    @Option(help: "The tenant whose own variant is meant; without it, the default one.")
    var variant: String?

    @OptionGroup var namespace: NamespaceOptions

    func validate() throws {
        _ = try self.id()
    }

    func id() throws -> VariantID {
        try ResourceName.variant(self.endpoint, tenant: self.variant, namespace: self.namespace.namespace)
    }
}
