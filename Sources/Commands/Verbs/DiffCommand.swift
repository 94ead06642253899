internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet diff`: which resources differ between two commits, field by field.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show which resources differ between two commits, field by field.",
        discussion: """
            Without --base and --head it compares the newest commit with the work tree. What counts is what manifests \
            say: comments, formatting and the place of a file make no difference. Exit code 0 when there is no \
            difference, 1 when there is one, 2 when either side cannot be read or has errors.
            """
    )

    @OptionGroup var sides: ComparisonOptions

    @Option(help: "The controller's state directory, for --sources: the clones of remote repositories are in there.")
    var stateDir: String?

    @Option(name: [.customShort("o"), .customLong("output")], help: "text or json.")
    var format: ReportFormat = .text

    func validate() throws {
        if !self.sides.repository.sources.isGiven, self.stateDir != nil {
            throw ValidationError("--state-dir goes with --sources")
        }
    }

    func run() throws {
        let comparison = try self.sides.load(stateDirectory: self.stateDir)
        let changes = ResourceChange.all(from: comparison.base, to: comparison.head)
        let environment = CommandEnvironment.current
        switch self.format {
        case .text:
            environment.print(
                changes.isEmpty
                    ? "no difference between \(comparison.baseName) and \(comparison.headName)"
                    : DiffText.render(changes)
            )
        case .json:
            environment.print(try Rendering.json(changes))
        }
        try comparison.requireSound()
        if !changes.isEmpty { throw ExitCode(1) }
    }
}

/// Changes as text: `~` changed, `+` added, `-` removed.
enum DiffText {
    static func render(_ changes: [ResourceChange]) -> String {
        changes.flatMap { change in
            ["\(change.verb.sign) \(change.resource)   (\(change.location))"].map { PlainText.line($0) }
                + change.fields.flatMap { DiffText.lines(of: $0) }
        }.joined(separator: "\n")
    }

    private static func lines(of field: ResourceChange.Field) -> [String] {
        ["    \(PlainText.line(field.path))"]
            + (field.old.map { ["    - \(PlainText.line($0.canonicalJSON))"] } ?? [])
            + (field.new.map { ["    + \(PlainText.line($0.canonicalJSON))"] } ?? [])
    }
}

extension RevisionDiff.Change.Verb {
    /// The sign in front of a change.
    var sign: String {
        switch self {
        case .added: "+"
        case .removed: "-"
        case .changed: "~"
        }
    }
}
