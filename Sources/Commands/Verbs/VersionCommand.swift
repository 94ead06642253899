internal import ArgumentParser

/// `martlet version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() {
        let environment = CommandEnvironment.current
        environment.print("martlet \(environment.version)")
    }
}
