internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet plan`: what a change would do.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a change would do: which endpoints roll, how, in which order, and why.",
        discussion: """
            Without --base and --head it plans the way from the newest commit to the work tree; in a pull request, say \
            --base origin/main --head HEAD. It needs no controller: it assumes that the base has converged, and says \
            so. With --sources it plans for several repositories side by side, from what their refs say to the folders \
            that --work-tree names. With --live it asks the running controller what it would do now.

            -o markdown is made to be a comment on a pull request. Exit code 0 when there is nothing to do, 1 when \
            there is, 2 when a side cannot be read or the newer one has errors.
            """
    )

    /// How the plan is printed.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case markdown
        case json
    }

    @OptionGroup var sides: ComparisonOptions

    @Option(name: [.customShort("o"), .customLong("output")], help: "text, markdown or json.")
    var format: Format = .text

    @Option(help: "Memory that loaded models may take together on the server, such as 4Gi; without it, no bound.")
    var memoryBudget: String?

    @Flag(help: "Ask the running controller what it would do now.")
    var live = false

    @Flag(help: .hidden)
    var evaluate = false

    @OptionGroup var socket: SocketOptions

    func validate() throws {
        if self.evaluate { throw ValidationError("--evaluate is not available in this version") }
        if let budget = self.memoryBudget, ByteCount(budget) == nil {
            throw ValidationError("--memory-budget '\(budget)' is no amount of memory; write 512Mi or 4Gi")
        }
        if self.live, self.sides.base != nil || self.sides.head != nil || self.memoryBudget != nil {
            throw ValidationError("--live goes without --base, --head and --memory-budget")
        }
        let sources = self.sides.repository.sources
        if self.live, sources.isGiven { throw ValidationError("--live goes without --sources") }
        if !self.live, !sources.isGiven, self.socket.stateDir != nil {
            throw ValidationError("--state-dir goes with --live or --sources")
        }
    }

    func run() async throws {
        if self.live {
            let plan = try await self.socket.client().get("plan", as: Plan.self)
            try self.show(PlanReport(live: plan))
            return
        }
        // How much fits into memory depends on everything that is loaded.
        let comparison = try self.sides.load(
            inFull: self.memoryBudget != nil,
            stateDirectory: self.socket.stateDir
        )
        try self.show(PlanReport(comparison, memoryBudget: self.memoryBudget.flatMap { ByteCount($0) }))
        try comparison.requireSound()
    }

    private func show(_ report: PlanReport) throws {
        let environment = CommandEnvironment.current
        switch self.format {
        case .text: environment.print(report.text)
        case .markdown: environment.print(report.markdown)
        case .json: environment.print(try Rendering.json(report))
        }
        if report.errors.isEmpty, report.signature?.isAccepted != false, !report.isConverged { throw ExitCode(1) }
    }
}
