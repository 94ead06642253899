internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet status`: the controller at a glance.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the controller at a glance.",
        discussion: """
            With --wait it watches until the newest commit is in sync and healthy; exit code 1 when that is not so \
            in time.
            """
    )

    @OptionGroup var controller: ControllerOptions

    @Option(help: "Wait until everything is synced and healthy, at most this long (30s, 5m).")
    var wait: String?

    func run() async throws {
        let client = try self.controller.client()
        let status = try await self.status(from: client)
        try self.controller.show(status) { wide in
            StatusText.render(status, wide: wide)
        } names: {
            status.endpoints.map(\.identity.description)
        }
        if self.wait != nil, !StatusCommand.isSettled(status) {
            CommandEnvironment.current.printError("error: not synced and healthy within \(self.wait ?? "")")
            throw ExitCode(1)
        }
    }

    private func status(from client: AdminClient) async throws -> StatusView {
        let status = try await client.get("status", as: StatusView.self)
        guard let wait = self.wait else { return status }
        guard let limit = ManifestDuration(wait) else {
            throw ValidationError("'\(wait)' is no duration; write 30s or 5m")
        }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit.duration)
        var latest = status
        while !StatusCommand.isSettled(latest), clock.now < deadline {
            try await clock.sleep(for: .milliseconds(50))
            latest = try await client.get("status", as: StatusView.self)
        }
        return latest
    }

    private static func isSettled(_ status: StatusView) -> Bool {
        status.sync == .synced && status.health == .healthy && status.pendingSteps == 0
    }
}

/// The status page as text.
enum StatusText {
    static func render(_ status: StatusView, wide: Bool) -> String {
        var parts = [StatusText.head(status), ResourceTable.endpoints(status.endpoints, wide: wide)]
        if !status.holds.isEmpty {
            parts.append("Holds\n" + HoldTable.render(status.holds))
        }
        if !status.diagnostics.isEmpty {
            parts.append("Diagnostics\n" + status.diagnostics.map { "  \($0)" }.joined(separator: "\n"))
        }
        if !status.waits.isEmpty {
            parts.append("Waits\n" + status.waits.map { "  \($0.subject): \($0.reason)" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    private static func head(_ status: StatusView) -> String {
        let commit = status.source.commit.map { "\($0.id.prefix(10)) \($0.subject)" } ?? "none read yet"
        var lines = [
            "Source    \(status.source.location) \(status.source.ref) \(status.source.path)",
            "Commit    \(commit)",
            "Sync      \(status.sync.rawValue)" + (status.suspended ? " (everything is suspended)" : ""),
            "Health    \(status.health.rawValue)",
            "Memory    \(ByteText.render(status.memoryBytes))"
                + (status.memoryBudget.map { " of \(ByteText.render($0))" } ?? ""),
        ]
        if status.source.condition.status == .no {
            lines.insert("          \(status.source.condition.reason): \(status.source.condition.message)", at: 1)
        }
        if status.pendingSteps > 0 { lines.append("Steps     \(status.pendingSteps) to do") }
        if status.abandonedCalls > 0 { lines.append("Abandoned \(status.abandonedCalls) engine calls that hung") }
        return lines.joined(separator: "\n")
    }
}
