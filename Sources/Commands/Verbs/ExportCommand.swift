internal import ArgumentParser
internal import Planning
internal import Schema

/// `martlet export`: what the running controller wants, as manifests.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the running desired state as manifests, without comments and defaults.",
        usage: """
            martlet export -A
            martlet export endpoints chains -n shop
            martlet export -A --output-dir manifests
            """,
        discussion: """
            What comes out has the digests of what runs, and 'martlet validate' accepts it where the files are that it \
            names. It is what the commit in force says, whatever is held or rolled back.
            """
    )

    @Argument(help: "Kinds to write (endpoints, models, …); without any, all.")
    var kinds: [String] = []

    @OptionGroup var namespace: NamespaceOptions

    @Flag(name: [.customShort("A"), .customLong("all-namespaces")], help: "All namespaces.")
    var allNamespaces = false

    @Option(
        help:
            "Write one file for each resource below this folder, new or empty, and print their paths. A new one appears with all."
    )
    var outputDir: String?

    @Flag(help: "Write into a folder that is not empty: replace files there, and keep the others.")
    var force = false

    @OptionGroup var socket: SocketOptions

    func validate() throws {
        _ = try self.wanted()
        if self.force && self.outputDir == nil { throw ValidationError("--force goes with --output-dir") }
    }

    func run() async throws {
        let wanted = try self.wanted()
        let query = self.allNamespaces ? "" : "?namespace=\(AdminClient.escape(self.namespace.namespace))"
        let manifests = try await self.socket.client().get("manifests" + query, as: [ManifestView].self)
            .filter { wanted.isEmpty || wanted.contains($0.kind) }
        let environment = CommandEnvironment.current
        guard !manifests.isEmpty else {
            let place = self.allNamespaces ? "" : " in namespace '\(self.namespace.namespace)'"
            environment.printError("No resources\(place).")
            return
        }
        let exported = ExportedManifests(manifests)
        if let outputDir {
            let paths = try exported.write(below: outputDir, replacing: self.force)
            environment.print(paths.joined(separator: "\n"))
        } else {
            environment.print(try exported.text())
        }
    }

    private func wanted() throws -> Set<Kind> {
        Set(
            try self.kinds.map { word in
                guard let kind = Kind(word: word) else {
                    let words = Kind.allCases.map(\.plural).sorted()
                    let all = "; there are \(words.joined(separator: ", "))"
                    let hint = NearestWord.hint(for: word, among: words, otherwise: all)
                    throw ValidationError("there is no kind '\(word)'" + hint)
                }
                return kind
            }
        )
    }
}
