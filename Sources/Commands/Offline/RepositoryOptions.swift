internal import ArgumentParser
internal import Foundation
internal import Planning
internal import Schema

/// Which manifests an offline verb reads.
struct RepositoryOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The root of the repository; without it, the one around the current folder.",
            valueName: "repository"
        )
    )
    var root: String?

    @Option(help: "Only manifests below this folder of the repository.")
    var path = ""

    @OptionGroup var sources: SourcesOptions
    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var policies: PolicyOptions

    @Flag(help: "Read every manifest, whatever earlier runs found out about it.")
    var noCache = false

    /// Opens the repository with its work tree.
    ///
    /// - Parameter isCached: Whether what earlier runs found out may spare reading, unless the user says otherwise.
    func open(isCached: Bool = true) throws -> OfflineRepository {
        let root =
            self.root ?? RepositoryOptions.enclosing(FileManager.default.currentDirectoryPath) ?? "."
        return try OfflineRepository(
            root: root,
            path: self.path,
            namespace: self.namespace.namespace,
            policies: try self.policies.sources(namespace: self.namespace.namespace),
            demand: try self.policies.demand(),
            isCached: isCached && !self.noCache
        )
    }

    func validate() throws {
        guard self.sources.isGiven else { return }
        guard self.root == nil, self.path.isEmpty else {
            throw ValidationError("--sources says it all: leave out the repository and --path")
        }
        guard self.policies.requireSignatures == nil, self.policies.openPGPKeyring == nil else {
            throw ValidationError(
                "signatures are checked source by source: leave out --sources, and name the repository of one"
            )
        }
    }

    /// Opens several repositories side by side. Everything is read, and nothing kept for later runs.
    func open(_ sources: OfflineSources) throws -> OfflineRepository {
        OfflineRepository(sources, policies: try self.policies.sources(namespace: self.namespace.namespace))
    }

    /// The nearest folder, this one or one above, that a git repository belongs to.
    static func enclosing(_ folder: String) -> String? {
        var parts = RelativePath.names(of: folder)
        while true {
            let root = "/" + parts.joined(separator: "/")
            if FileManager.default.fileExists(atPath: root + "/.git") { return root }
            guard parts.popLast() != nil else { return nil }
        }
    }
}
