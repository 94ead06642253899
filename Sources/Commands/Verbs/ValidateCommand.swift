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

            Every problem is printed on standard error as path:line:column, with the nearest valid word where there is \
            one. Exit code 2 when there are errors. What this version cannot do yet, and engines that are not known, \
            are warnings; with --strict they are errors.
            """
    )

    @OptionGroup var repository: RepositoryOptions

    @Option(help: "Check this branch, tag or commit instead of the work tree.")
    var ref: String?

    @Flag(help: "Take warnings for errors.")
    var strict = false

    @Option(name: [.customShort("o"), .customLong("output")], help: "text or json.")
    var format: ReportFormat = .text

    func run() throws {
        var repository = try self.repository.open()
        let desired = try repository.load(try repository.resolve(self.ref))
        let report = ValidationReport(desired, isStrict: self.strict)
        let environment = CommandEnvironment.current
        switch self.format {
        case .text:
            for diagnostic in report.diagnostics { environment.printError(PlainText.line("\(diagnostic)")) }
            environment.print(report.summary)
        case .json:
            environment.print(try Rendering.json(report))
        }
        if report.errors > 0 { throw ExitCode(2) }
    }
}

/// How an offline verb prints what it found.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
    case text
    case json
}

/// What is wrong with manifests.
struct ValidationReport: Encodable {
    /// How many resources were read without an error.
    var resources: Int
    var errors: Int
    var warnings: Int
    /// Sorted by place.
    var diagnostics: [Diagnostic]

    /// Gathers what the manifests themselves, and the installed engines about them, have to say.
    init(_ desired: DesiredState, isStrict: Bool) {
        let found = desired.diagnostics + desired.unavailable + EngineCheck.diagnostics(of: desired)
        self.diagnostics = Set(found).sorted().map { diagnostic in
            var diagnostic = diagnostic
            if isStrict { diagnostic.severity = .error }
            return diagnostic
        }
        self.resources = desired.resources.count
        self.errors = self.diagnostics.count { $0.severity == .error }
        self.warnings = self.diagnostics.count - self.errors
    }

    /// `5 resources, 2 errors, 1 warning`.
    var summary: String {
        var parts = [Counted.words(self.resources, "resource"), Counted.words(self.errors, "error")]
        if self.warnings > 0 { parts.append(Counted.words(self.warnings, "warning")) }
        return parts.joined(separator: ", ")
    }
}

/// Numbers with their nouns.
enum Counted {
    /// `no errors`, `1 error`, `2 errors`.
    static func words(_ count: Int, _ noun: String) -> String {
        switch count {
        case 0: "no \(noun)s"
        case 1: "1 \(noun)"
        default: "\(count) \(noun)s"
        }
    }
}

/// Asks the engines that are installed here about the options of the models that use them.
enum EngineCheck {
    static func diagnostics(of desired: DesiredState) -> [Diagnostic] {
        let engines = CommandEnvironment.current.engines
        let usable = Set(engines.reports().filter { $0.problem == nil }.map(\.name))
        return desired.resources.values.flatMap { resource -> [Diagnostic] in
            guard case .model(let spec) = resource.spec, usable.contains(spec.engine),
                let engine = try? engines.engine(named: spec.engine)
            else { return [] }
            return engine.problems(inOptions: spec.options).map { problem in
                let place = resource.fieldLocations["spec.options.\(problem.option)"] ?? resource.location
                return Diagnostic(at: place, "spec.options: \(problem.message)", resource: resource.identity)
            }
        }
    }
}
