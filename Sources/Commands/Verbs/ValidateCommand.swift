internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet validate`: checks manifests without a controller.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check the manifests of the work tree, or of a commit.",
        discussion: """
            Without --ref it checks the work tree as it is on disk: what the next commit would hold, if everything \
            were added to it. Files that git ignores count only if they are committed already; .martletignore leaves \
            files out.

            With --sources it checks several repositories side by side, as a controller that follows them would: each at \
            its ref, or where --work-tree says so, as a folder has it.

            Every problem is printed on standard error as path:line:column, with the nearest valid word where there is \
            one. Exit code 2 when there are errors. What this version cannot do yet, and engines that are not known, \
            are warnings; with --strict they are errors.
            """
    )

    @OptionGroup var repository: RepositoryOptions

    @Option(help: "Check this branch, tag or commit instead of the work tree.")
    var ref: String?

    @Option(help: "The controller's state directory, for --sources: the clones of remote repositories are in there.")
    var stateDir: String?

    @Flag(help: "Take warnings for errors.")
    var strict = false

    @Option(name: [.customShort("o"), .customLong("output")], help: "text or json.")
    var format: ReportFormat = .text

    func validate() throws {
        if self.repository.sources.isGiven, self.ref != nil {
            throw ValidationError("--sources says which commits count: leave out --ref")
        }
        if !self.repository.sources.isGiven, self.stateDir != nil {
            throw ValidationError("--state-dir goes with --sources")
        }
    }

    func run() throws {
        let sources = try self.repository.sources.open(self.stateDir)
        var repository = try sources.map { try self.repository.open($0) } ?? self.repository.open()
        let (desired, rest) = try repository.check(try sources?.proposed ?? repository.resolve(self.ref))
        var report = ValidationReport(desired, rest, isStrict: self.strict)
        report.signature = try repository.signatureReport(of: desired, after: nil)
        let environment = CommandEnvironment.current
        switch self.format {
        case .text:
            for diagnostic in report.diagnostics { environment.printError(PlainText.line("\(diagnostic)")) }
            if let signature = report.signature { environment.printError(PlainText.line(signature.message)) }
            environment.print(report.summary)
        case .json:
            environment.print(try Rendering.json(report))
        }
        if report.errors > 0, let part = repository.part { environment.printError("note: \(part)") }
        if report.errors > 0 || report.signature?.isAccepted == false { throw ExitCode(2) }
    }
}
