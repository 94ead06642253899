internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet status`: the controller at a glance.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the controller at a glance.",
        discussion: """
            With --wait it watches until everything is in sync and healthy, and with --commit until that is so of one \
            commit. Exit code 1 when it is not so in time. A controller that does not answer yet is waited for too.
            """
    )

    /// How long to wait before looking again.
    private static let pause = Duration.milliseconds(50)

    @Option(help: "Wait until everything is synced and healthy, at most this long (30s, 5m).")
    var wait: String?

    @Option(help: "With --wait: until this commit is the one that is read; its first digits will do.")
    var commit: String?

    @OptionGroup var controller: ControllerOptions

    func validate() throws {
        if let wait = self.wait, ManifestDuration(wait) == nil {
            throw ValidationError("--wait '\(wait)' is no duration; write 30s or 5m")
        }
        if let commit = self.commit {
            guard self.wait != nil else { throw ValidationError("--commit goes with --wait") }
            guard commit.count >= 4, commit.allSatisfy(\.isHexDigit) else {
                throw ValidationError("--commit '\(commit)' is no commit; write at least 4 of its digits")
            }
        }
    }

    func run() async throws {
        let client = try self.controller.client()
        let status = try await self.status(from: client)
        try self.controller.show(status) { wide in
            StatusText.render(status, wide: wide)
        } names: {
            status.endpoints.map(\.identity.description)
        }
        if let wait = self.wait, !self.isSettled(status) {
            CommandEnvironment.current.printError("error: " + PlainText.line(self.problem(of: status, after: wait)))
            throw ExitCode(1)
        }
    }

    private func status(from client: AdminClient) async throws -> StatusView {
        guard let limit = self.wait.flatMap({ ManifestDuration($0) }) else { return try await client.get("status") }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit.duration)
        while true {
            do {
                let status = try await client.get("status", as: StatusView.self)
                if self.isSettled(status) || clock.now >= deadline { return status }
            } catch let error as MartletError where error.disposition == .retryable && clock.now < deadline {
                // Not up yet.
            }
            try await clock.sleep(for: StatusCommand.pause)
        }
    }

    private func isSettled(_ status: StatusView) -> Bool {
        status.sync == .synced && status.health == .healthy && status.pendingSteps == 0
            && status.source.commit != nil && self.isInForce(status)
    }

    /// Whether the commit that was asked for is in force, of one of several sources where there are.
    private func isInForce(_ status: StatusView) -> Bool {
        guard let commit = self.commit?.lowercased() else { return true }
        return ([status.source] + status.sources).contains { $0.commit?.id.hasPrefix(commit) ?? false }
    }

    /// What is not so when the time is over, and why.
    private func problem(of status: StatusView, after wait: String) -> String {
        let views = status.sources.isEmpty ? [status.source] : status.sources
        var reasons = views.filter { $0.condition.status == .no }.map { view in
            (view.name.map { "source '\($0)': " } ?? "") + "\(view.condition.reason): \(view.condition.message)"
        }
        if let waiting = status.source.waiting {
            reasons.append("commit \(waiting.commit.id.prefix(10)) waits: \(waiting.wait.word): \(waiting.wait.reason)")
        }
        var what = "not synced and healthy within \(wait)"
        if let commit = self.commit, !self.isInForce(status) {
            let inForce = views.compactMap { $0.commit?.id.prefix(10) }.joined(separator: ", ")
            what = "commit \(commit) is not in force within \(wait), but \(inForce.isEmpty ? "none" : inForce)"
        }
        return ([what] + reasons).joined(separator: "; ")
    }
}

/// The status page as text.
enum StatusText {
    static func render(_ status: StatusView, wide: Bool) -> String {
        var parts = [StatusText.head(status)]
        let endpoints = ResourceTable.endpoints(status.endpoints, wide: wide)
        parts.append(
            status.endpoints.isEmpty
                ? "No endpoints." : StatusText.whole([endpoints], status.moreEndpoints, "martlet get endpoint")
        )
        if !status.holds.isEmpty {
            parts.append("Holds\n" + HoldTable.render(status.holds))
        }
        if !status.diagnostics.isEmpty {
            let lines = status.diagnostics.map { "  " + PlainText.line("\($0)") }
            parts.append("Diagnostics\n" + StatusText.whole(lines, status.moreDiagnostics, "martlet validate"))
        }
        if !status.guarded.isEmpty {
            parts.append("Guarded\n" + status.guarded.map { "  " + PlainText.line($0.message) }.joined(separator: "\n"))
        }
        if !status.waits.isEmpty {
            let lines = status.waits.map { "  \($0.subject): " + PlainText.line($0.reason) }
            parts.append("Waits\n" + StatusText.whole(lines, status.moreWaits, "martlet plan --live"))
        }
        return parts.joined(separator: "\n\n")
    }

    /// Lines of a list, and where to find those that it had no room for.
    private static func whole(_ lines: [String], _ more: Int, _ command: String) -> String {
        let rest = more > 0 ? ["  … and \(more) more: '\(command)' shows them all"] : []
        return (lines + rest).joined(separator: "\n")
    }

    private static func head(_ status: StatusView) -> String {
        let source = [status.source.location, status.source.ref, status.source.path].filter { !$0.isEmpty }
        let isOne = status.sources.isEmpty
        let commit = status.source.commit.map { "\($0.id.prefix(10)) \($0.subject)" } ?? "none read yet"
        var lines = [
            isOne ? "Source    \(source.joined(separator: " "))" : "Sources   \(status.sources.count)",
            "Commit    \(commit)",
            "Sync      \(status.sync.rawValue)" + (status.suspended ? " (everything is suspended)" : ""),
            "Health    \(status.health.rawValue)",
            "Memory    \(ByteText.render(status.memoryBytes))"
                + (status.memoryBudget.map { " of \(ByteText.render($0))" } ?? ""),
        ]
        if status.source.condition.status == .no {
            let fetched = status.source.fetchedAt.map { "; last fetched at \(TimeText.render($0))" } ?? ""
            lines.insert(
                "          \(status.source.condition.reason): \(status.source.condition.message)\(fetched)",
                at: 1
            )
        }
        lines.insert(contentsOf: status.sources.flatMap(StatusText.lines), at: 1)
        if let waiting = status.source.waiting { lines.insert(contentsOf: StatusText.lines(waiting), at: 2) }
        for condition in status.conditions where condition.status == .no {
            lines.append("State     \(condition.type.rawValue)=False, \(condition.reason): \(condition.message)")
        }
        if status.pendingSteps > 0 { lines.append("Steps     \(status.pendingSteps) to do") }
        if status.abandonedCalls > 0 { lines.append("Abandoned \(status.abandonedCalls) engine calls that hung") }
        return lines.map { PlainText.line($0) }.joined(separator: "\n")
    }

    /// One of several sources, with what is wrong with it.
    private static func lines(_ source: SourceView) -> [String] {
        let place = [source.location, source.ref, source.path].filter { !$0.isEmpty }.joined(separator: " ")
        let commit = source.commit.map { "\($0.id.prefix(10)) \($0.subject)" } ?? "none read yet"
        let line = "  \(source.name ?? "")  \(commit)  (\(place))"
        guard source.condition.status == .no else { return [line] }
        return [line, "          \(source.condition.reason): \(source.condition.message)"]
    }

    /// The newest commit, and what it waits for.
    private static func lines(_ waiting: WaitingCommit) -> [String] {
        let until = waiting.wait.until.map { "; until \(TimeText.render($0))" } ?? ""
        var lines = [
            "Waiting   \(waiting.commit.id.prefix(10)) \(waiting.commit.subject)",
            "          \(waiting.wait.word): \(waiting.wait.reason)\(until)",
        ]
        if !waiting.errors.isEmpty {
            let first = waiting.errors.first.map { "; the first: \($0)" } ?? ""
            lines.append("          it has \(Counted.words(waiting.errors.count, "error"))\(first)")
        }
        return lines
    }
}
