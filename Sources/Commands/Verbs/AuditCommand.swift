internal import ArgumentParser
internal import Planning

/// `martlet audit`: who did what, why and from where; `audit verify` proves that nothing was changed since.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show the audit log, or verify its chain.",
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self],
        defaultSubcommand: AuditListCommand.self
    )
}

struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the newest entries.")

    @Option(help: "Show at most this many.")
    var limit = 50

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        guard (1...10_000).contains(self.limit) else { throw ValidationError("--limit goes from 1 to 10000") }
    }

    func run() async throws {
        let entries = try await self.controller.client().get("audit?limit=\(self.limit)", as: [AuditEntry].self)
        try self.controller.show(entries) { wide in
            var table = TextTable(
                ["NUMBER", "AT", "WHO", "FROM", "DID", "TO", "WHY", "SIGNER"],
                shortening: wide ? [] : ["WHO", "TO", "WHY", "SIGNER"]
            )
            for entry in entries {
                table.add([
                    String(entry.sequence), TimeText.render(entry.at), entry.actor.description, entry.origin,
                    entry.action, entry.subject, entry.reason, entry.signer ?? "-",
                ])
            }
            return table.render()
        } names: {
            entries.map { String($0.sequence) }
        }
    }
}

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute the audit log's chain; exit code 1 when an entry does not fit."
    )

    @OptionGroup var controller: ControllerOptions

    func run() async throws {
        let result = try await self.controller.client().get("audit/verify", as: AuditVerification.self)
        try self.controller.show(result) { _ in
            result.brokenAt.map { "broken at entry \($0): \(result.message)" }
                ?? "\(result.entries) \(result.entries == 1 ? "entry" : "entries"), the chain is whole"
        } names: {
            [result.brokenAt.map { String($0) } ?? "whole"]
        }
        if result.brokenAt != nil { throw ExitCode(1) }
    }
}
