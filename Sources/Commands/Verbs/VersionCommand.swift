internal import ArgumentParser

/// `martlet version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @OptionGroup var output: OutputOptions

    func run() throws {
        let version = CommandEnvironment.current.version
        try self.output.show(["version": version]) { _ in
            "martlet \(version)"
        } names: {
            [version]
        }
    }
}
