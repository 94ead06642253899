internal import ArgumentParser

/// The child that fetches from a git server; started by the controller, not by people.
struct FetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch-child",
        abstract: "Serve one fetch request on standard input and output.",
        shouldDisplay: false
    )

    func run() throws {
        try CommandEnvironment.current.fetch()
    }
}
