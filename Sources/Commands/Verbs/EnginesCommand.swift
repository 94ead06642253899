internal import ArgumentParser
internal import Planning

/// `martlet engines`: which engines were found, where, and why one cannot be used.
struct EnginesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engines",
        abstract: "List the engines that were found, where, which version, or why not. Works without a controller."
    )

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reports = CommandEnvironment.current.engines.reports()
        try self.output.show(reports) { _ in
            var table = TextTable(["ENGINE", "VERSION", "ACCELERATORS", "LOCATION", "PROBLEM"])
            for report in reports {
                let accelerators = report.accelerators.isEmpty ? "-" : report.accelerators.joined(separator: ", ")
                table.add([
                    report.name, report.version ?? "-", accelerators, report.location, report.problem ?? "",
                ])
            }
            return table.render()
        } names: {
            reports.map(\.name)
        }
    }
}
