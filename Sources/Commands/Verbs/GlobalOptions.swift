internal import ArgumentParser
internal import Foundation
internal import Planning
internal import Schema

/// How to print an answer.
struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "table, wide, json, yaml or name.")
    var format: OutputFormat = .table

    /// Prints an answer in the form that was asked for; the closures make the table and the names.
    func show(
        _ value: some Encodable,
        table: (_ wide: Bool) throws -> String,
        names: () -> [String]
    ) throws {
        let text = try self.text(value, table: table, names: names)
        if !text.isEmpty { CommandEnvironment.current.print(text) }
    }

    /// The text that ``show(_:table:names:)`` prints; empty when there is nothing to name.
    func text(
        _ value: some Encodable,
        table: (_ wide: Bool) throws -> String,
        names: () -> [String]
    ) throws -> String {
        switch self.format {
        case .table: try table(false)
        case .wide: try table(true)
        case .json: try Rendering.json(value)
        case .yaml: try Rendering.yaml(value)
        case .name: names().joined(separator: "\n")
        }
    }
}

/// Where the running controller is.
struct SocketOptions: ParsableArguments {
    @Option(name: .long, help: "The controller's state directory; its admin socket is in there.")
    var stateDir: String?

    /// The controller's socket.
    func path() throws -> String {
        let environment = CommandEnvironment.current
        return try environment.socketPath(self.stateDir ?? environment.environment["MARTLET_STATE_DIR"])
    }

    /// The client of the controller's socket.
    func client() throws -> AdminClient {
        let account = NSUserName()
        return AdminClient(socketPath: try self.path(), actor: account.isEmpty ? "uid-\(getuid())" : account)
    }
}

/// Where the running controller is, and how to print what it says.
struct ControllerOptions: ParsableArguments {
    @OptionGroup var socket: SocketOptions
    @OptionGroup var output: OutputOptions

    /// The client of the controller's socket.
    func client() throws -> AdminClient {
        try self.socket.client()
    }

    /// Prints an answer in the form that was asked for; the closures make the table and the names.
    func show(
        _ value: some Encodable,
        table: (_ wide: Bool) throws -> String,
        names: () -> [String]
    ) throws {
        try self.output.show(value, table: table, names: names)
    }

    /// Prints what was done to what.
    func report(_ action: String, _ subject: String, _ sentence: String) throws {
        struct Report: Encodable {
            var action: String
            var subject: String
        }
        try self.show(Report(action: action, subject: subject)) { _ in
            sentence
        } names: {
            [subject]
        }
    }
}

/// The namespace of names without one.
struct NamespaceOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The namespace of names that carry none.")
    var namespace: String = "default"

    func validate() throws {
        guard TextFormat.isLabel(self.namespace) else {
            throw ValidationError(
                "--namespace '\(self.namespace)' is no namespace; write up to 63 lower-case letters, digits and '-'"
            )
        }
    }
}
