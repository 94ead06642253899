internal import ArgumentParser
internal import Planning

/// `martlet backup`: the state in one file.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write the state of one moment into one file, whether the controller runs or not.",
        discussion: """
            The file holds control.db and, with --with-artifacts, the cached model files, with their checksums. Only you \
            may read it, it appears whole or not at all, and a file that is there is replaced with --force only.
            """
    )

    @Argument(help: "The file to write.")
    var file: String

    @Flag(help: "Take the cached model files along, so that a restored state needs no repository to serve.")
    var withArtifacts = false

    @Flag(help: "Replace the file if it is there.")
    var force = false

    @Option(help: "The state directory; default as for 'martlet run'.")
    var stateDir: String?

    @Option(name: [.customShort("o"), .customLong("output")], help: "text or json.")
    var format: ReportFormat = .text

    func run() async throws {
        let environment = CommandEnvironment.current
        let summary = try await environment.state.backup(
            StateTools.BackupRequest(
                stateDirectory: self.stateDir ?? environment.environment["MARTLET_STATE_DIR"],
                file: self.file,
                withArtifacts: self.withArtifacts,
                replacing: self.force
            )
        )
        switch self.format {
        case .text:
            environment.print(
                "wrote \(summary.file): \(Counted.words(summary.files, "file")), \(ByteText.render(summary.bytes))"
            )
        case .json:
            environment.print(try Rendering.json(summary))
        }
    }
}
