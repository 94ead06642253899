internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet history`: which revisions were promoted when, by whom and why, and which commits were read.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show which revisions were promoted when, by whom and why."
    )

    @Argument(help: "Only this endpoint: endpoint/desk.")
    var endpoint: String?

    @Option(help: "Only this tenant's own variant.")
    var variant: String?

    @Option(help: "Show at most this many.")
    var limit = 20

    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit goes from 1 to 10000") }
        guard self.endpoint != nil || self.variant == nil else {
            throw ValidationError("--variant needs the endpoint that it is a variant of")
        }
        _ = try self.variantID()
    }

    private func variantID() throws -> VariantID? {
        try self.endpoint.map {
            try ResourceName.variant($0, tenant: self.variant, namespace: self.namespace.namespace)
        }
    }

    func run() async throws {
        let client = try self.controller.client()
        var query = ["limit=\(self.limit)"]
        if let variant = try self.variantID() {
            query.append("variant=\(AdminClient.escape(variant.description))")
        }
        let history = try await client.get("history?" + query.joined(separator: "&"), as: HistoryView.self)
        try self.controller.show(history) { _ in
            HistoryText.render(history)
        } names: {
            history.promotions.map { "\($0.variant)#\($0.revision)" }
        }
    }
}

/// The history as two tables, newest first.
enum HistoryText {
    static func render(_ history: HistoryView) -> String {
        var promotions = TextTable(["PROMOTED AT", "VARIANT", "REVISION", "COMMIT", "BY", "REASON"])
        for record in history.promotions {
            promotions.add([
                TimeText.render(record.at), record.variant.description, record.revision.description,
                HistoryText.commit(of: record), record.actor.description, record.reason,
            ])
        }
        var commits = TextTable(["READ AT", "COMMIT", "ERRORS", "CONVERGED AFTER", "SIGNER", "SUBJECT"])
        for record in history.commits {
            let took = record.convergedAt.map { "\($0.milliseconds - record.readAt.milliseconds) ms" } ?? "-"
            commits.add([
                TimeText.render(record.readAt), String(record.commit.id.prefix(10)), String(record.errors), took,
                record.commit.signer ?? "-", record.commit.subject,
            ])
        }
        return promotions.render() + "\n\n" + commits.render()
    }

    /// `1a2b3c4d5e`; among several sources `shop@1a2b3c4d5e`.
    private static func commit(of record: PromotionRecord) -> String {
        record.source.map { CommitSet([$0: record.commit]).description } ?? CommitSet.words(for: record.commit)
    }
}
