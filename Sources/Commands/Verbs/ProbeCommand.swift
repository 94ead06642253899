internal import ArgumentParser

/// The child that opens a model before the controller does; started by the controller, not by people.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe-child",
        abstract: "Serve one probe request on standard input and output.",
        shouldDisplay: false
    )

    func run() throws {
        try CommandEnvironment.current.probe()
    }
}
