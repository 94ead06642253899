internal import ArgumentParser
internal import Foundation
internal import Planning
package import Schema

/// Where the running controller is, and how to print.
struct ControllerOptions: ParsableArguments {
    @Option(name: .long, help: "The controller's state directory; its admin socket is in there.")
    var stateDir: String?

    @Option(name: .shortAndLong, help: "table, wide, json, yaml or name.")
    var output: OutputFormat = .table

    /// The client of the controller's socket.
    func client() throws -> AdminClient {
        let environment = CommandEnvironment.current
        let directory = self.stateDir ?? environment.environment["MARTLET_STATE_DIR"]
        return AdminClient(socketPath: try environment.socketPath(directory), actor: NSUserName())
    }

    /// Prints an answer in the form that was asked for; the closures make the table and the names.
    func show(
        _ value: some Encodable,
        table: (_ wide: Bool) throws -> String,
        names: () -> [String]
    ) throws {
        let print = CommandEnvironment.current.print
        switch self.output {
        case .table: print(try table(false))
        case .wide: print(try table(true))
        case .json: print(try Rendering.json(value))
        case .yaml: print(try Rendering.yaml(value))
        case .name: print(names().joined(separator: "\n"))
        }
    }
}

/// The namespace of names without one.
struct NamespaceOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The namespace of names that carry none.")
    var namespace: String = "default"
}
